"""Rows of numbers on disk, for what a long sound is measured in: none of them stays in memory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BufferedRandom
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

Numbers: TypeAlias = NDArray[Any]

ROWS_AT_ONCE = 16_384  # 82 s of the grid


@dataclass
class RowFile:
    """Rows of `width` numbers each, appended in order and read back by slices; `len` counts them."""

    width: int
    dtype: np.dtype[Any]
    _file: BufferedRandom
    _count: int = field(default=0, init=False)

    def __len__(self) -> int:
        return self._count

    def append(self, rows: Numbers) -> None:
        """Add rows of shape (n, width), or (n,) where the width is 1."""
        block = np.ascontiguousarray(rows, self.dtype).reshape(-1, self.width)
        self._file.write(block.data)
        self._count += len(block)

    def read(self, start: int, end: int) -> Numbers:
        """Return the rows from `start` to before `end`, as far as there are any; shape (rows, width)."""
        start, end = max(start, 0), min(end, self._count)
        size = self.width * self.dtype.itemsize
        self._file.flush()
        data = os.pread(self._file.fileno(), max(end - start, 0) * size, start * size)
        return np.frombuffer(data, self.dtype).reshape(-1, self.width)


@contextmanager
def open_row_file(path: Path, width: int, dtype: DTypeLike = np.float64) -> Iterator[RowFile]:
    """Make a file of rows at `path`, which goes with the block."""
    with path.open("w+b") as file:
        try:
            yield RowFile(width, np.dtype(dtype), file)
        finally:
            path.unlink()


@dataclass(frozen=True)
class Part:
    """Rows `start` to before `end`; `first` to before `last` are those with some of their neighbours."""

    start: int
    end: int
    first: int
    last: int

    @property
    def own(self) -> slice:
        """The part's own rows among those read."""
        return slice(self.start - self.first, self.end - self.first)


def in_parts(count: int, beside: int) -> Iterator[Part]:
    """Yield parts of ROWS_AT_ONCE rows, each with up to `beside` neighbours on both sides."""
    for start in range(0, count, ROWS_AT_ONCE):
        end = min(start + ROWS_AT_ONCE, count)
        yield Part(start, end, max(start - beside, 0), min(end + beside, count))
