"""Free ports of this machine."""

from __future__ import annotations

import socket

from ethereal.errors import UnavailableError

_TRIES = 100


def first_free_port(host: str, preferred: int) -> int:
    """Return `preferred` or the next port on which nobody listens; 0 means any."""
    for port in range(preferred, preferred + _TRIES):
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(
                socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
            )  # as servers do: closing ones do not count
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise UnavailableError(f"no free port on {host} from {preferred} on")
