"""Sound on its way, on disk: written in any order, and read where it was written."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from tempfile import TemporaryFile

import numpy as np

from ethereal.audio.resample import Samples

_SAMPLE_BYTES = 8  # two sides of float32


@dataclass(frozen=True)
class Spool:
    """`sample_count` stereo samples at `rate`; where nothing was written there is silence."""

    rate: int
    sample_count: int
    descriptor: int

    def write(self, start: int, samples: Samples) -> None:
        data = memoryview(samples.astype(np.float32, copy=False).tobytes())
        place = start * _SAMPLE_BYTES
        while data:
            written = os.pwrite(self.descriptor, data, place)
            data, place = data[written:], place + written

    def read(self, start: int, stop: int) -> Samples:
        """Return samples start <= i < stop, fewer at the end of the sound."""
        stop = min(stop, self.sample_count)
        data = os.pread(self.descriptor, max(0, stop - start) * _SAMPLE_BYTES, start * _SAMPLE_BYTES)
        return np.frombuffer(data, np.float32).reshape(-1, 2)

    def blocks(self, size: int, filled: Iterable[int] = ()) -> Iterator[Samples]:
        """Yield the sound in blocks; `filled` tells up to which sample it is there, and ends when all is."""
        position = 0
        for end in chain(filled, [self.sample_count]):
            while position < end and (end - position >= size or end == self.sample_count):
                yield self.read(position, position + size)
                position += size


@contextmanager
def open_spool(folder: Path, rate: int, sample_count: int) -> Iterator[Spool]:
    """Make a spool on the disk of `folder` for the length of the block."""
    with TemporaryFile(dir=folder) as file:
        os.truncate(file.fileno(), sample_count * _SAMPLE_BYTES)
        yield Spool(rate, sample_count, file.fileno())
