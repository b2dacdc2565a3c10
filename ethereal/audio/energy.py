"""Energy of the sound in steps of 5 ms: of each side, of both together, and as loud as people hear it."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ethereal.audio.grid import HOP, Columns
from ethereal.audio.moving import weighted
from ethereal.audio.rate import CANONICAL_RATE
from ethereal.audio.resample import Samples
from ethereal.audio.weighting import KWeighting

LEFT, RIGHT, PRODUCT, WEIGHTED = range(4)


class EnergyMeter:
    """Takes sound in order and gives its energy; the weighting filter remembers what came before."""

    def __init__(self) -> None:
        self._weighting = KWeighting(CANONICAL_RATE)

    def measure(self, sound: Samples) -> Columns:
        """Return mean squares of each step of (2, steps * HOP) samples.

        Shape (steps, 4): left, right, left times right, and the sum of both sides K-weighted.
        """
        left, right = sound.astype(np.float64).reshape(2, -1, HOP)
        heard = self._weighting.hear(sound).reshape(2, -1, HOP)
        # Multiplied and summed in one go, with no array of products.
        pairs = [(left, left), (right, right), (left, right)]
        sums = [np.einsum("sh,sh->s", one, other) for one, other in pairs]
        return np.stack([*sums, np.einsum("csh,csh->s", heard, heard)], axis=1) / HOP


def averaged(steps: Columns, count: int) -> Columns:
    """Average `count` steps around each row of the grid, the near ones most; a row lies between two steps."""
    weights = np.sin(np.pi * (np.arange(count) + 0.5) / count) ** 2
    return weighted(steps, weights / weights.sum())


def averaged_evenly(steps: Columns, count: int) -> Columns:
    """Average `count` steps around each row, all alike."""
    padded = np.pad(steps, (count // 2, count - count // 2 - 1))
    return np.asarray(sliding_window_view(padded, count).mean(axis=1))
