"""How levels swell and fade for the eye: quick to rise, slow to fall, in seconds, whatever the frame rate."""

from __future__ import annotations

from itertools import accumulate, islice

import numpy as np

from ethereal.audio.grid import GRID_RATE, Columns

DARK = 1e-3  # below this an envelope is 0, or it would never end


class Follower:
    """Follows one column of levels as it comes. Both times are those in which a step is 63 % done."""

    def __init__(self, *, attack: float, release: float) -> None:
        self._part = float(1 - np.exp(-1 / (attack * GRID_RATE)))
        self._release = release * GRID_RATE
        self._risen = 0.0
        self._highest, self._heard = -np.inf, 0

    def hear(self, level: Columns) -> Columns:
        """Return the envelope of the next rows."""
        risen = self._rise(level)
        # In logarithms a fading value is a falling line, and the largest of all lines is a running maximum.
        line = np.arange(self._heard, self._heard + len(level)) / self._release
        with np.errstate(divide="ignore"):
            lines = np.maximum.accumulate(np.append(self._highest, np.log(risen) + line))
        self._highest, self._heard = lines[-1], self._heard + len(level)
        faded = np.exp(lines[1:] - line)
        return np.where(faded < DARK, 0.0, faded)

    def _rise(self, level: Columns) -> Columns:
        part = self._part
        steps = accumulate(
            level.tolist(), lambda risen, level: risen + part * (level - risen), initial=self._risen
        )
        risen = np.fromiter(islice(steps, 1, None), np.float64, len(level))
        self._risen = float(risen[-1]) if len(risen) else self._risen
        return risen


def follow(level: Columns, *, attack: float, release: float) -> Columns:
    """Follow a whole column of levels."""
    return Follower(attack=attack, release=release).hear(level)


def ring(times: Columns, strengths: Columns, at: Columns, seconds: float) -> Columns:
    """Return what events of strengths up to 1 have faded to `at` given times; all in seconds, rising."""
    if len(times) == 0:
        return np.zeros(len(at))
    loudest = np.maximum.accumulate(np.log(strengths) + times / seconds)
    latest = np.searchsorted(times, at, side="right") - 1
    rung = np.exp(np.minimum(loudest[np.maximum(latest, 0)] - at / seconds, 0))
    return np.where((latest < 0) | (rung < DARK), 0.0, rung)
