"""How fast the sound rises: the growth of narrow bands over 20 ms, on two scales.

After Böck and Widmer, "Maximum filter vibrato suppression for onset detection", 2013. Levels show faint
beginnings as well as loud ones; swells, nearer to amplitude, tell the loud from the faint. The scales are
fixed, so hiss below them does nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ethereal.audio.bands import BANDS, level
from ethereal.audio.grid import Columns
from ethereal.audio.spectrum import FINE_COUNT, FINE_EDGES, Power

LAG = 4
BASS_TOP, HIGH_BOTTOM = 250.0, 5000.0
SWELL_EXPONENT = 0.35  # of power: 0.5 would be amplitude


@dataclass(frozen=True)
class Flux:
    """Mean growth per row: over all fine bands, those below BASS_TOP, above HIGH_BOTTOM, and between."""

    whole: Columns
    bass: Columns
    middle: Columns
    high: Columns


def measure_level_flux(power: Power) -> Flux:
    """Return the growth of levels, 0..1."""
    tops = _tops()
    return _measure(power, lambda part: level(part, tops))


def measure_swell_flux(power: Power) -> Flux:
    """Return the growth of power on the scale of loudness, in parts of that of level 1."""
    tops = 10 ** (_tops() / 10)
    return _measure(power, lambda part: (part / tops) ** SWELL_EXPONENT)


def _measure(power: Power, scale: Callable[[Columns], Columns]) -> Flux:
    fine = power[:, :FINE_COUNT]
    padded = np.pad(fine, ((LAG // 2, LAG // 2), (0, 0)), mode="edge")
    growth = _rise(scale(padded.astype(np.float64)))
    # There is silence before the first row, so what sounds at the very start has begun there.
    begun = scale(fine[: LAG // 2 + 1].astype(np.float64)).max(axis=0)
    growth[:, :1] = _rise(np.concatenate([np.zeros((LAG, FINE_COUNT)), begun[None]]))
    return Flux(*growth)


def _rise(values: Columns) -> Columns:
    rise = np.maximum(values[LAG:] - values[:-LAG], 0)
    edges = np.array(FINE_EDGES)
    bass, high = edges[1:] <= BASS_TOP, edges[:-1] >= HIGH_BOTTOM
    parts = (rise[:, bass], rise[:, ~bass & ~high], rise[:, high])
    return np.stack([rise.mean(axis=1), *(part.mean(axis=1) for part in parts)])


def _tops() -> Columns:
    """Return the power of level 1 in each fine band: an equal share of its band's, in dBFS."""
    lows = np.array(FINE_EDGES[:-1])
    tops = np.zeros(FINE_COUNT)
    for band in BANDS:
        inside = (lows >= band.low) & (lows < band.high)
        tops[inside] = band.top - 10 * np.log10(inside.sum())
    return tops
