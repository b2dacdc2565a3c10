"""The browser's profile: on tmpfs where there is room, gone afterwards, swept if its owner was killed."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from ethereal.errors import OutOfDiskError

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - mkdtemp makes the directory, readable by us alone
PROFILE_BYTES = 64 * 2**20  # what a browser writes beside the ring, amply
_PREFIX = "ethereal-profile-"


@contextmanager
def open_profile(ring_bytes: int, scratch: Path | None) -> Iterator[Path]:
    """A new directory with room for `ring_bytes`, removed on the way out.

    It lies on /dev/shm or else in `scratch` (default: the system's temporary directory). Raises
    OutOfDiskError when neither has room.
    """
    places = (SHARED_MEMORY, scratch or Path(tempfile.gettempdir()))
    for place in places:
        sweep_profiles(place)
    parent = choose_place(places, ring_bytes + PROFILE_BYTES)
    profile = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=parent))
    try:
        with (profile / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield profile
    finally:
        shutil.rmtree(profile, ignore_errors=True)  # what should be left is swept at a later open


def choose_place(places: Sequence[Path], room: int) -> Path:
    """The first of `places` with `room` bytes to spare."""
    for place in places:
        if place.is_dir() and shutil.disk_usage(place).free > room:
            return place
    raise OutOfDiskError(f"no room for {room} bytes in {' or '.join(map(str, places))}")


def sweep_profiles(place: Path) -> None:
    """Remove the profiles whose owner is gone: its process ended and nobody holds its lock.

    The lock tells owners in other containers, whose process ids mean nothing here.
    """
    for profile in place.glob(f"{_PREFIX}*"):
        pid = profile.name.removeprefix(_PREFIX).partition("-")[0]
        if pid.isdigit() and not psutil.pid_exists(int(pid)) and not _is_locked(profile / "lock"):
            shutil.rmtree(profile, ignore_errors=True)


def _is_locked(path: Path) -> bool:
    with suppress(FileNotFoundError), path.open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
