"""Where a section begins: how unlike what follows is to what came before, in pitch classes and bands.

After Foote, "Automatic audio segmentation using a measure of audio novelty", 2000: a checkerboard with soft
edges moves along the diagonal of the self-similarity. Only a band of that matrix, two kernels wide, is ever
looked at, a part at a time. Before the start and after the end the piece is mirrored, so neither is new.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ethereal.audio.bands import BANDS, level
from ethereal.audio.chroma import CHROMA_RATE, EVERY
from ethereal.audio.feature_set import PITCH_CLASSES
from ethereal.audio.fir import hann
from ethereal.audio.grid import Columns
from ethereal.audio.moving import correlate, weighted
from ethereal.audio.row_file import RowFile
from ethereal.audio.spectrum import Power, band_powers

WIDTH = len(PITCH_CLASSES) + len(BANDS)
MOMENT_RATE = 5  # moments a second
STEP = CHROMA_RATE // MOMENT_RATE
SMOOTH = CHROMA_RATE  # rows: a moment looks a second to each side
REACH = 8 * MOMENT_RATE  # moments to each side
SOFTNESS = 0.5  # of the reach, in which the kernel falls to 0.6
CHROMA_WEIGHT = 1.5  # beside levels
APART = 0.2  # mean square distance at which two moments are unlike
MOMENTS_AT_ONCE = 1024


def describe_sound(chroma: Columns, power: Power) -> Columns:
    """Return what sections are told by, 25 rows a second: pitch classes, then levels of bands."""
    bands = band_powers(power.reshape(-1, EVERY, power.shape[1]).mean(axis=1, dtype=np.float64))
    return np.column_stack([chroma, *(level(bands[:, index], band.top) for index, band in enumerate(BANDS))])


def measure_novelty(described: RowFile) -> Columns:
    """Return the novelty of a whole piece, MOMENT_RATE values a second."""
    count = -(-len(described) // STEP)
    starts = range(0, count, MOMENTS_AT_ONCE)
    parts = [_novelty(described, start, min(start + MOMENTS_AT_ONCE, count), count) for start in starts]
    return np.concatenate([np.zeros(0), *parts])


def _novelty(described: RowFile, start: int, end: int, count: int) -> Columns:
    """Return the novelty of the moments from `start` to before `end`."""
    around = _mirrored(np.arange(start - REACH, end + REACH), count)
    first = int(around.min())
    moments = _moments(described, first, int(around.max()) + 1)[around - first]
    kernel = _kernel()
    unlike = np.zeros(end - start)
    for lag in range(1, 2 * REACH + 1):
        # What is alike counts nothing here, so a steady sound gives exactly 0.
        apart = -np.expm1(-((moments[lag:] - moments[:-lag]) ** 2).sum(axis=1) / (2 * APART))
        pairs = kernel[lag:] * kernel[:-lag]
        unlike -= correlate(apart, pairs)
    return np.asarray(np.clip(unlike / kernel[kernel > 0].sum() ** 2, 0, 1))


def _kernel() -> Columns:
    """Return the sides of the checkerboard: what comes before counts against what follows."""
    places = np.arange(-REACH, REACH + 1)
    return np.asarray(np.sign(places) * np.exp(-0.5 * (places / (SOFTNESS * REACH)) ** 2))


def _mirrored(moments: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    round_trip = max(2 * (count - 1), 1)
    there = moments % round_trip
    return np.asarray(np.minimum(there, round_trip - there)) if count > 1 else np.zeros_like(moments)


def _moments(described: RowFile, first: int, last: int) -> Columns:
    """Return what the moments from `first` to before `last` sound like, a second to each side."""
    start = max(first * STEP - SMOOTH, 0)
    rows = described.read(start, (last - 1) * STEP + SMOOTH + 1) * _WEIGHTS
    near = hann(2 * SMOOTH + 2)[1:]
    sums = weighted(rows, near)
    there = weighted(np.ones(len(rows)), near)
    own = slice(first * STEP - start, None, STEP)
    return np.asarray((sums / there[:, None])[own][: last - first])


_WEIGHTS = np.repeat([CHROMA_WEIGHT, 1.0], [len(PITCH_CLASSES), len(BANDS)])
