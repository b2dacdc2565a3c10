"""Sound on its way, on disk: written in any order, read in any order by several threads at once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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

    def blocks(self, size: int) -> Iterator[Samples]:
        for start in range(0, self.sample_count, size):
            yield self.read(start, start + size)


@contextmanager
def open_spool(folder: Path, rate: int, sample_count: int) -> Iterator[Spool]:
    """Make a spool on the disk of `folder` for the length of the block."""
    with TemporaryFile(dir=folder) as file:
        os.truncate(file.fileno(), sample_count * _SAMPLE_BYTES)
        yield Spool(rate, sample_count, file.fileno())
