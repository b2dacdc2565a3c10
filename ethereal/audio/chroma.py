"""Which of the twelve pitch classes sound, 25 times a second, whatever their octave.

As in Müller and Ewert, "Chroma Toolbox", 2011: the power of narrow bins is gathered by pitch class, each bin
shared between the classes beside it as in Ellis, "Chroma feature analysis and synthesis", 2007. The values
are shares on a fixed scale, so nothing depends on the rest of the piece and noise lights all classes alike.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from ethereal.audio.bands import level
from ethereal.audio.colour import audibility
from ethereal.audio.feature_set import FULL_LEVEL, PITCH_CLASSES
from ethereal.audio.grid import GRID_RATE, Columns
from ethereal.audio.resample import Samples
from ethereal.audio.spectrum import LOW_RATE, Window, power_of_bins

EVERY = 8  # rows of the grid
CHROMA_RATE = GRID_RATE // EVERY
LOWEST, HIGHEST = 65.4, 2093.0  # Hz: C2 to C7
FADED = 0.75  # octaves over which the pitches at both ends count less
WIDTH = 0.25  # semitones around a pitch in which a bin is its own
A4, PLACE_OF_A = 440.0, 9
PITCH = Window(3072, LOW_RATE, (LOWEST, HIGHEST))  # 0.5 s


def measure_chroma(lows: Samples) -> Columns:
    """Return the share of each pitch class in all that is pitched, by amplitude; 0 where that is silent.

    `lows` is a decimated stretch. Shape (BLOCK_ROWS / EVERY, 12), from C to B.
    """
    power = power_of_bins(lows, PITCH, every=EVERY)
    first, weights = _weights()
    classes = np.einsum("tf,fc->tc", power[:, first : first + len(weights)], weights).astype(np.float64)
    amplitude = np.sqrt(classes)
    total = amplitude.sum(axis=1, keepdims=True)
    shares = np.divide(amplitude, total, out=np.zeros_like(amplitude), where=total > 0)
    return np.asarray(shares * audibility(level(classes.sum(axis=1), FULL_LEVEL))[:, None])


@cache
def _weights() -> tuple[int, NDArray[np.float32]]:
    """Return the first bin that counts, and how much of each from there on belongs to each pitch class."""
    hz = np.arange(PITCH.size // 2) * PITCH.rate / PITCH.size
    bins = np.flatnonzero((hz >= LOWEST) & (hz <= HIGHEST))
    octaves = np.log2(hz[bins] / A4)
    away = (12 * octaves[:, None] + PLACE_OF_A - np.arange(len(PITCH_CLASSES)) + 6) % 12 - 6
    own = np.exp(-0.5 * (away / WIDTH) ** 2)
    inside = np.minimum(octaves - np.log2(LOWEST / A4), np.log2(HIGHEST / A4) - octaves) / FADED
    weights = own / own.sum(axis=1, keepdims=True) * np.clip(inside, 0, 1)[:, None]
    return int(bins[0]), weights.astype(np.float32)
