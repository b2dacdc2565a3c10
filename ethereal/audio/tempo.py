"""Which beat periods a piece may have: the lags at which its accents repeat."""

from __future__ import annotations

import numpy as np

from ethereal.audio.grid import GRID_RATE, Columns
from ethereal.audio.moving import highest_around

SLOWEST, FASTEST = 42.0, 220.0  # beats a minute
USUAL, SPREAD = 100.0, 0.95  # beats a minute; octaves
LONGEST = round(GRID_RATE * 60 / SLOWEST) + 20
CANDIDATES = 8


def usual(tempo: Columns) -> Columns:
    """How readily people take a tempo for the beat, rather than its half or double: 1 at best."""
    return np.asarray(np.exp(-0.5 * (np.log2(tempo / USUAL) / SPREAD) ** 2))


def candidate_periods(weight: Columns) -> list[float]:
    """Return the likeliest beat periods, in rows and parts of a row."""
    repeats = _autocorrelation(weight)
    lags = np.arange(len(repeats))
    fits = (lags >= GRID_RATE * 60 / FASTEST) & (lags <= GRID_RATE * 60 / SLOWEST)
    peaks = np.flatnonzero(fits & (repeats == highest_around(repeats, 3)) & (repeats > 0))
    likeliest = peaks[np.argsort(-repeats[peaks] * usual(GRID_RATE * 60 / peaks), kind="stable")][:CANDIDATES]
    return sorted(_summit(repeats, int(lag)) for lag in likeliest)


def _autocorrelation(weight: Columns) -> Columns:
    count = len(weight)
    size = _fast_size(count + LONGEST)
    spectrum = np.fft.rfft(weight - weight.mean(), size)
    repeats = np.fft.irfft(spectrum.real**2 + spectrum.imag**2, size)[: min(LONGEST, count)]
    if repeats[0] <= 0:
        return np.zeros(len(repeats))
    return np.asarray(repeats / repeats[0] * (count / (count - np.arange(len(repeats)))))


def _fast_size(least: int) -> int:
    """Return the least number from `least` on that is a power of two, or 3, 5, 9, 15 or 25 times one."""
    return min(odd << (-(-least // odd) - 1).bit_length() for odd in (1, 3, 5, 9, 15, 25))


def _summit(values: Columns, index: int) -> float:
    """Return where the parabola through a peak and its neighbours is highest."""
    if index + 1 >= len(values):
        return float(index)
    before, here, after = values[index - 1 : index + 2]
    bend = before - 2 * here + after
    return float(index + (0.5 * (before - after) / bend if bend else 0.0))
