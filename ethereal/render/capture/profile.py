"""The browser's profile: on tmpfs where there is room, gone afterwards, swept if its owner was killed."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ethereal.errors import OutOfDiskError
from ethereal.scratch import open_scratch, sweep_scratch

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - the directory made there is readable by us alone
PROFILE_BYTES = 64 * 2**20  # what a browser writes beside the ring, amply
_LABEL = "ethereal-profile-"


@contextmanager
def open_profile(ring_bytes: int, scratch: Path | None) -> Iterator[Path]:
    """A new directory with room for `ring_bytes`, removed on the way out.

    It lies on /dev/shm or else in `scratch` (default: the system's temporary directory). Raises
    OutOfDiskError when neither has room.
    """
    sweep_profiles(scratch)
    place = choose_place(_places(scratch), ring_bytes + PROFILE_BYTES)
    with open_scratch(place, f"{_LABEL}{os.getpid()}") as profile:
        yield profile


def choose_place(places: Sequence[Path], room: int) -> Path:
    """The first of `places` with `room` bytes to spare."""
    for place in places:
        if place.is_dir() and shutil.disk_usage(place).free > room:
            return place
    raise OutOfDiskError(f"no room for {room} bytes in {' or '.join(map(str, places))}")


def sweep_profiles(scratch: Path | None) -> int:
    """Remove the profiles whose owner is gone, wherever they may lie; return how many."""
    return sum(sweep_scratch(place, f"{_LABEL}*") for place in _places(scratch))


def _places(scratch: Path | None) -> tuple[Path, Path]:
    return SHARED_MEMORY, scratch or Path(tempfile.gettempdir())
