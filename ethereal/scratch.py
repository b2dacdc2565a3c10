"""Scratch directories: locked for as long as they are in use, so what a killed process left is known by that.

The kernel drops the lock with its process, however that ends, and keeps it across containers on one volume,
where a process id means nothing.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

_NAME = re.compile(r"\.(?P<label>.+)\.[0-9a-f]{16}")


@contextlib.contextmanager
def open_scratch(parent: Path, label: str) -> Iterator[Path]:
    """Make a directory in `parent` for the length of the block, hidden and readable by us alone."""
    parent.mkdir(parents=True, exist_ok=True)
    path, lock = _make(parent, label)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        os.close(lock)


def sweep_scratch(folder: Path, labels: str = "*") -> int:
    """Remove the scratch directories in `folder` that nobody uses any more; return how many.

    Of those alone whose label fits the shell pattern `labels`.
    """
    try:
        names = os.listdir(folder)
    except OSError:
        return 0
    found = (_NAME.fullmatch(name) for name in names)
    return sum(_remove(folder / name[0]) for name in found if name and fnmatchcase(name["label"], labels))


def _make(parent: Path, label: str) -> tuple[Path, int]:
    while True:
        path = parent / f".{label}.{secrets.token_hex(8)}"
        path.mkdir(mode=0o700)
        if (lock := _hold(path)) is not None:
            return path, lock


def _hold(path: Path) -> int | None:
    """Lock a new directory; None when a sweep took it before it was locked."""
    lock = -1
    try:
        lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        with contextlib.suppress(_NoLocksError):
            _lock(lock)
        if os.path.samestat(path.stat(), os.fstat(lock)):
            return lock
    except (FileNotFoundError, BlockingIOError):
        pass
    if lock >= 0:
        os.close(lock)
    return None


def _remove(path: Path) -> bool:
    try:
        lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:  # gone meanwhile, or another user's
        return False
    try:
        _lock(lock)
        shutil.rmtree(path, ignore_errors=True)
        return not path.exists()
    except (BlockingIOError, _NoLocksError):
        return False
    finally:
        os.close(lock)


class _NoLocksError(OSError):
    """The file system knows no locks: then nothing of others is removed."""


def _lock(descriptor: int) -> None:
    """Raise BlockingIOError when somebody has it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError as error:
        raise _NoLocksError(str(error)) from error
