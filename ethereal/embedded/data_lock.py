"""One stack per data directory."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from ethereal.errors import ConflictError


@contextlib.contextmanager
def hold_data_dir(data_dir: Path, patience: timedelta = timedelta(seconds=30)) -> Iterator[int]:
    """Keep other stacks away from `data_dir`; yields the lock, to be handed to every guard.

    Raises ConflictError naming the process that has it. Where that one was killed, waits with `patience` for
    its guards to end what it had started.
    """
    lock = os.open(data_dir / "stack.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _acquire(lock, data_dir, patience)
        os.truncate(lock, 0)
        os.pwrite(lock, str(os.getpid()).encode(), 0)
        yield lock
    finally:
        os.close(lock)


def _acquire(lock: int, data_dir: Path, patience: timedelta) -> None:
    deadline = time.monotonic() + patience.total_seconds()
    while True:
        try:
            return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            owner = int(os.pread(lock, 20, 0) or 0)
            if _lives(owner) or time.monotonic() > deadline:
                raise ConflictError(
                    f"{data_dir} is in use by process {owner}: stop that one first,"
                    " or set ETHEREAL_DATA_DIR to another directory"
                ) from error
        time.sleep(0.1)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
