"""How levels swell and fade for the eye: quick to rise, slow to fall, in seconds, whatever the frame rate."""

from __future__ import annotations

import numpy as np
from scipy.signal import lfilter

from ethereal.audio.grid import GRID_RATE, Columns

DARK = 1e-3  # below this an envelope is 0, or it would never end


def follow(level: Columns, *, attack: float, release: float) -> Columns:
    """Follow one column of levels. Both times are those in which a step is 63 % done."""
    part = 1 - np.exp(-1 / (attack * GRID_RATE))
    risen = lfilter([part], [1, part - 1], level)
    return fading(risen, release)


def fading(level: Columns, seconds: float) -> Columns:
    """Keep each value as it fades to 37 % in `seconds`, until a larger one comes."""
    # In logarithms a fading value is a falling line, and the largest of all lines is a running maximum.
    line = np.arange(len(level)) / (seconds * GRID_RATE)
    with np.errstate(divide="ignore"):
        faded = np.exp(np.maximum.accumulate(np.log(level) + line) - line)
    return np.where(faded < DARK, 0.0, faded)


def ring(times: Columns, strengths: Columns, at: Columns, seconds: float) -> Columns:
    """Return what events of strengths up to 1 have faded to `at` given times; all in seconds, rising."""
    if len(times) == 0:
        return np.zeros(len(at))
    loudest = np.maximum.accumulate(np.log(strengths) + times / seconds)
    latest = np.searchsorted(times, at, side="right") - 1
    rung = np.exp(np.minimum(loudest[np.maximum(latest, 0)] - at / seconds, 0))
    return np.where((latest < 0) | (rung < DARK), 0.0, rung)
