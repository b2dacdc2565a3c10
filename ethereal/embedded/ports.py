"""Free ports of this machine."""

from __future__ import annotations

import contextlib
import socket
import sys
from collections.abc import Iterator

from ethereal.errors import UnavailableError

_TRIES = 100


@contextlib.contextmanager
def hold_free_port(host: str, preferred: int) -> Iterator[int]:
    """Keep a port for a server until the end of the block, also while that server is away.

    `preferred` or the next port on which nobody listens; 0 means any. The kernel gives it to nobody who asks
    for any port; the server must set SO_REUSEADDR, as servers do. Outside Linux it is found, not kept.

    Raises UnavailableError where a hundred ports are taken.
    """
    with _bound(host, preferred) as holder:
        port = int(holder.getsockname()[1])
        if sys.platform != "linux":
            holder.close()  # others let nobody listen where a socket is bound
        yield port


def _bound(host: str, preferred: int) -> socket.socket:
    for port in range(preferred, preferred + _TRIES):
        holder = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # closing ones do not count
        try:
            holder.bind((host, port))
        except OSError:
            holder.close()
        else:
            return holder
    raise UnavailableError(f"no free port on {host} from {preferred} on")
