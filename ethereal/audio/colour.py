"""Where in pitch and in space the sound lies: the centre of its spectrum and its stereo width."""

from __future__ import annotations

import numpy as np

from ethereal.audio.energy import LEFT, PRODUCT, RIGHT, averaged
from ethereal.audio.grid import Columns
from ethereal.audio.spectrum import FINE_COUNT, FINE_EDGES, Power

LOWEST, HIGHEST = 60.0, 12_000.0
# Octaves between, and what both features need of level to be shown in full; below it they fade to 0.
AUDIBLE = 0.15
STEPS = 20  # 100 ms


def measure_centroid(power: Power, audible: Columns) -> Columns:
    """Return the centre of the spectrum in octaves, weighted by amplitude; 0 is LOWEST and 1 HIGHEST."""
    edges = np.array(FINE_EDGES)
    places = np.log2(np.sqrt(edges[1:] * edges[:-1]) / LOWEST) / np.log2(HIGHEST / LOWEST)
    amplitude = np.sqrt(power[:, :FINE_COUNT])
    sums = np.column_stack([amplitude.sum(axis=1), (amplitude * places.astype(np.float32)).sum(axis=1)])
    total, moment = averaged(sums.astype(np.float64), STEPS // 2).T
    centre = np.divide(moment, total, out=np.zeros(len(total)), where=total > 0)
    return np.asarray(np.clip(centre, 0, 1) * audible)


def measure_width(steps: Columns, audible: Columns) -> Columns:
    """Return twice the share of the difference of the sides in all energy, at most 1."""
    energy = averaged(steps[:, [LEFT, RIGHT, PRODUCT]], STEPS)
    both = energy[:, LEFT] + energy[:, RIGHT]
    side = (both - 2 * energy[:, PRODUCT]) / 2
    width = np.divide(2 * side, both, out=np.zeros(len(both)), where=both > 0)
    return np.asarray(np.clip(width, 0, 1) * audible)


def audibility(level: Columns) -> Columns:
    """Return 0 in silence and 1 from the level AUDIBLE on, smoothly."""
    part = np.clip(level / AUDIBLE, 0, 1)
    return np.asarray(part * part * (3 - 2 * part))
