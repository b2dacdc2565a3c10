"""The grid of the analysis: one row every 5 ms, whatever the frame rate, read at exact frame times.

Row g is centred on sample 240 g. Equal times therefore give equal values at 24, 30 or 29.97 frames a second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ethereal.audio.canonical import read_blocks
from ethereal.audio.rate import CANONICAL_RATE
from ethereal.audio.resample import Samples

GRID_RATE = 200
HOP = CANONICAL_RATE // GRID_RATE
BLOCK_ROWS = 256
# Samples beside a block that its windows reach into: half of the longest one and of the decimation.
MARGIN = 12_480

Columns: TypeAlias = NDArray[np.float64]
"""Values on the grid: shape (rows,) or (rows, columns)."""


def read_stretches(canonical: Path) -> Iterator[Samples]:
    """Yield stretches of sound, each with MARGIN samples of its neighbours, or of silence, on both sides.

    Shape (2, MARGIN + HOP * BLOCK_ROWS + MARGIN). Stretch b holds the windows of rows 256 b to 256 b + 255.
    """
    size = HOP * BLOCK_ROWS
    held = np.zeros((2, MARGIN), np.float32)
    for block in read_blocks(canonical, size):
        held = np.concatenate([held, block.T], axis=1)
        if held.shape[1] >= size + 2 * MARGIN:
            yield held[:, : size + 2 * MARGIN]
            held = held[:, size:]
    while held.shape[1] > MARGIN:
        missing = max(0, size + 2 * MARGIN - held.shape[1])
        padded = np.pad(held, ((0, 0), (0, missing)))
        yield padded[:, : size + 2 * MARGIN]
        held = held[:, size:]


def seconds_of_frames(fps: Fraction, frames: range) -> Columns:
    """Return the exact time of each frame, rounded once."""
    return np.arange(frames.start, frames.stop, dtype=np.int64) * fps.denominator / fps.numerator


def rows_at_frames(read: Callable[[int, int], Columns], rate: int, fps: Fraction, frames: range) -> Columns:
    """Read rows that come `rate` times a second at the frame times, between rows in proportion.

    `read` gives the rows from one to before another; those after the last one are 0.
    """
    row, part = _places(rate, fps, frames)
    first, end = int(row[0]), int(row[-1]) + 2
    known = read(first, end)
    known = np.pad(known, ((0, end - first - len(known)), (0, 0)))
    return _between(known, row - first, part)


class FrameReader:
    """Reads grid columns at the frame times as their rows come."""

    def __init__(self, fps: Fraction, frame_count: int) -> None:
        self._fps, self._frame_count = fps, frame_count
        self._next_frame = self._rows_gone = 0
        self._known: Columns | None = None  # of the rows heard, those that a frame to come still needs

    def hear(self, rows: Columns) -> Columns:
        """Take in the next rows, shape (rows, columns); return the values of the frames that lie within."""
        known = rows if self._known is None else np.concatenate([self._known, rows])
        last = self._rows_gone + len(known) - 1
        ticks = GRID_RATE * self._fps.denominator
        end = min(self._frame_count, -(-last * self._fps.numerator // ticks))
        row, part = _places(GRID_RATE, self._fps, range(self._next_frame, end))
        values = _between(known, row - self._rows_gone, part)
        self._next_frame, self._rows_gone, self._known = max(end, self._next_frame), last, known[-1:]
        return values


def _places(rate: int, fps: Fraction, frames: range) -> tuple[NDArray[np.int64], Columns]:
    """Return the row before each frame, and how far the frame is from it to the next."""
    position = np.arange(frames.start, frames.stop, dtype=np.int64) * (rate * fps.denominator)
    row, rest = np.divmod(position, fps.numerator)
    return row, (rest / fps.numerator)[:, None]


def _between(known: Columns, row: NDArray[np.int64], part: Columns) -> Columns:
    return np.asarray(known[row] * (1 - part) + known[row + 1] * part)
