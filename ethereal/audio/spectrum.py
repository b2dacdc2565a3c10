"""Power in narrow bands every 5 ms, from three windows: short for the highs, longer for the lows.

Low pitches need long windows to be told apart. They are measured at 6 kHz, where long windows are cheap.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ethereal.audio.bands import BANDS
from ethereal.audio.fir import decimate, hann, low_pass
from ethereal.audio.grid import BLOCK_ROWS, HOP, MARGIN, Columns
from ethereal.audio.rate import CANONICAL_RATE
from ethereal.audio.resample import Samples

Power: TypeAlias = NDArray[np.float32]
"""Mean squares, shape (rows, bands)."""

SAMPLES_AT_ONCE = 32_768  # of each side; more leave the processor's cache
DECIMATION = 8
DECIMATION_TAPS = 97  # 60 dB down above 3.9 kHz, which would fold onto what is measured below 2.1 kHz

LOW_EDGES = (20.0, 60.0, 110.0, 170.0, 250.0, 350.0, 500.0)
HIGH_EDGES = (
    *(500.0, 630.0, 800.0, 1000.0, 1250.0, 1600.0, 2000.0, 2500.0, 3150.0, 4000.0),
    *(5000.0, 6000.0, 7500.0, 9500.0, 12000.0, 15000.0, 20000.0),
)
FINE_EDGES = (*LOW_EDGES, *HIGH_EDGES[1:])
FINE_COUNT = len(FINE_EDGES) - 1
LOW_BANDS = tuple(band for band in BANDS if band.high <= LOW_EDGES[-1])


@dataclass(frozen=True)
class Window:
    """A Hann window of `size` samples at `rate`, `hop` apart, and the bands that its bins are summed into."""

    size: int
    rate: int
    edges: tuple[float, ...]

    @property
    def hop(self) -> int:
        return HOP * self.rate // CANONICAL_RATE

    @property
    def bins(self) -> int:
        """How many bins, from the lowest on, the highest edge reaches to."""
        return int(self.edges[-1] * self.size / self.rate) + 1

    @property
    def margin(self) -> int:
        return MARGIN * self.rate // CANONICAL_RATE


LOW_RATE = CANONICAL_RATE // DECIMATION
SHORT = Window(1024, CANONICAL_RATE, HIGH_EDGES)
MIDDLE = Window(256, LOW_RATE, LOW_EDGES)
LONG = Window(512, LOW_RATE, (*(band.low for band in LOW_BANDS), LOW_EDGES[-1]))


def decimated(stretch: Samples) -> Samples:
    """Return a stretch at LOW_RATE."""
    taps = low_pass(DECIMATION_TAPS, 3000 / (CANONICAL_RATE / 2)).astype(np.float32)
    return decimate(stretch, taps, DECIMATION)


def measure_spectrum(stretch: Samples, lows: Samples) -> Power:
    """Return the power of each row of a stretch in the fine bands, then in the low bands by the long window.

    Shape (BLOCK_ROWS, FINE_COUNT + 3). The power is the mean over both channels, so nothing cancels out.
    """
    return np.concatenate(
        [_band_power(lows, MIDDLE), _band_power(stretch, SHORT), _band_power(lows, LONG)], axis=1
    )


def band_powers(power: Power) -> Columns:
    """Return the power in each of BANDS.

    A long window keeps low tones apart, a shorter one keeps time: the smaller of both does each.
    """
    fine, long = power[:, :FINE_COUNT], power[:, FINE_COUNT:]
    starts = [FINE_EDGES.index(band.low) for band in BANDS]
    bands = np.add.reduceat(fine, starts, axis=1).astype(np.float64)
    bands[:, : len(LOW_BANDS)] = np.minimum(bands[:, : len(LOW_BANDS)], long)
    return np.asarray(bands)


def power_of_bins(channels: Samples, window: Window, every: int = 1) -> Power:
    """Return the mean square in each bin that counts, of both channels together, around every so many rows.

    Shape (BLOCK_ROWS / every, window.bins).
    """
    first = window.margin - window.size // 2
    frames = sliding_window_view(channels, window.size, axis=1)[:, first :: window.hop * every]
    shape = hann(window.size)
    scale = 1 / (window.size * np.sum(shape**2))
    power = np.empty((BLOCK_ROWS // every, window.bins), np.float32)
    at_once = SAMPLES_AT_ONCE // window.size
    for start in range(0, len(power), at_once):
        end = min(start + at_once, len(power))
        left, right = np.fft.rfft(frames[:, start:end] * shape)[..., : window.bins]
        squares = left.real**2
        for part in (left.imag, right.real, right.imag):
            squares += part**2
        power[start:end] = squares * scale
    return power


def _band_power(channels: Samples, window: Window) -> Power:
    edges = [round(edge * window.size / window.rate) for edge in window.edges]
    power = power_of_bins(channels, window)
    return np.asarray(np.add.reduceat(power[:, : edges[-1]], edges[:-1], axis=1))
