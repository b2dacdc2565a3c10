"""Where sounds begin: the peaks that stand out of the flux."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import maximum_filter1d, uniform_filter1d

from ethereal.audio.grid import GRID_RATE, Columns

# A window meets a sound before its centre does, and the level rises most steeply then: 7.5 ms early.
EARLY = 0.0075
AROUND = 41  # rows: 100 ms on each side
MEAN_SHARE = 0.7  # of that mean, so that a quick run of soft notes is heard
NEAREST = 6  # rows between two onsets
FULL = 0.5  # flux of an onset of strength 1


@dataclass(frozen=True)
class Onsets:
    """Times in seconds, rising, and strengths 0..1."""

    times: Columns
    strengths: Columns


def find_onsets(flux: Columns, *, least: float) -> Onsets:
    """Find the peaks that stand out by `least` from the flux around them, and say how strong they are."""
    highest = flux == maximum_filter1d(flux, 2 * NEAREST + 1, mode="constant")
    rows = np.flatnonzero(highest & (standing_out(flux, MEAN_SHARE) > least))
    rows = rows[np.diff(rows, prepend=-NEAREST - 1) > NEAREST]
    return Onsets(rows / GRID_RATE + EARLY, np.minimum(flux[rows] / FULL, 1.0))


def standing_out(flux: Columns, mean_share: float = 1.0) -> Columns:
    """Return what is left of the flux without a share of its mean over the 200 ms around."""
    around = uniform_filter1d(flux, AROUND, mode="constant")
    return np.asarray(np.maximum(flux - mean_share * around, 0))
