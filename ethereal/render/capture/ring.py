"""The ring file: orders for frames go in, pixels come out, both through memory; layout: draw_worker.js.

A sequence number counts the frames ordered since the ring was opened; it names a slot by its remainder.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ethereal.errors import BrowserCrashedError, OutOfDiskError

PAGE = 4096
RING_BYTES = 28 * 2**20  # three frames of 1080p: as quick as eight, and at 4K two as quick as five
MAX_SLOTS = 8  # enough to carry on while an encoder pauses
_ORDERED, _WITHDRAWN, _FIRST_SLOT, _WRITTEN = 0, 1, 16, PAGE // 4


@dataclass(frozen=True)
class RingSize:
    """How many frames of how many bytes."""

    slots: int
    frame_bytes: int

    @property
    def bytes(self) -> int:
        return 2 * PAGE + self.slots * self.frame_bytes


def ring_size(width: int, height: int) -> RingSize:
    """The ring for frames of this size in pixels: two slots at least, so that both sides have work."""
    frame_bytes = width * height * 4
    return RingSize(min(max(RING_BYTES // frame_bytes, 2), MAX_SLOTS), frame_bytes)


class Ring:
    """The consumer's side of an open ring."""

    def __init__(self, memory: memoryview, size: RingSize) -> None:
        self.slots = size.slots
        self._words = memory[: 2 * PAGE].cast("I")
        places = range(2 * PAGE, size.bytes, size.frame_bytes)
        self._frames = [memory[place : place + size.frame_bytes].toreadonly() for place in places]

    @property
    def ordered(self) -> int:
        return self._words[_ORDERED]

    @property
    def written(self) -> int:
        return self._words[_WRITTEN]

    def order(self, frame: int) -> None:
        """Ask for a frame, in the next slot: whoever calls knows that the slot is free."""
        self._words[_FIRST_SLOT + self.ordered % self.slots] = frame
        self._words[_ORDERED] += 1

    def withdraw(self) -> None:
        """Take back the orders not yet drawn: they count as written and their slots hold nothing."""
        self._words[_WITHDRAWN] = self.ordered

    def frame(self, sequence: int) -> memoryview:
        """The pixels of a written frame, until its slot is ordered again."""
        return self._frames[sequence % self.slots]

    def release(self) -> None:
        for view in (*self._frames, self._words):
            with suppress(
                BufferError
            ):  # a consumer still looks at it: its memory goes when the consumer does
                view.release()


@contextmanager
def open_ring(user_data: Path, size: RingSize) -> Iterator[Ring]:
    """Map the ring the page made in its private file system.

    Raises BrowserCrashedError if there is none, OutOfDiskError if there is no room to fill it.
    """
    with _find(user_data, size.bytes).open("r+b") as file:
        _reserve(file.fileno(), size.bytes)
        mapped = mmap.mmap(file.fileno(), size.bytes)
    memory = memoryview(mapped)
    ring = Ring(memory, size)
    try:
        yield ring
    finally:
        ring.release()
        with suppress(BufferError):
            memory.release()
            mapped.close()


def _reserve(file: int, size: int) -> None:
    try:
        os.posix_fallocate(file, 0, size)  # else others fill a small tmpfs first, and the browser dies of it
    except OSError as error:
        raise OutOfDiskError(f"no room for {size} bytes of frames: {error}") from error


def _find(user_data: Path, size: int) -> Path:
    for path in user_data.glob("*/File System/**/*"):
        if path.is_file() and path.stat().st_size == size:
            return path
    raise BrowserCrashedError(f"the browser made no file of {size} bytes for its frames")
