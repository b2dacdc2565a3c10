"""Lays a chain of beats over the accents, after Ellis, "Beat tracking by dynamic programming", 2007."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ethereal.audio.grid import Columns

TIGHTNESS = 100.0

Rows: TypeAlias = NDArray[np.int64]


def lay_chain(salience: Columns, period: float) -> Rows:
    """Return the rows of the chain that gathers most salience while its steps stay near the period."""
    nearest, furthest = round(period / 2), round(period * 2)
    steps = np.arange(furthest, nearest - 1, -1)
    cost = TIGHTNESS * np.log(steps / period) ** 2
    count = len(salience)
    gathered = np.zeros(furthest + count)  # what lies before the start is worth nothing
    origin = np.full(count, -1, np.int64)
    for first in range(0, count, nearest):  # no row in such a stretch comes after another in it
        last = min(first + nearest, count)
        choices = sliding_window_view(gathered[first : last + furthest - nearest], len(steps)) - cost
        chosen = choices.argmax(axis=1)
        best = choices[np.arange(last - first), chosen]
        gathered[furthest + first : furthest + last] = salience[first:last] + np.maximum(best, 0)
        origin[first:last] = np.where(best > 0, np.arange(first, last) - steps[chosen], -1)
    ends = max(count - furthest, 0)
    return _walked_back(origin, ends + int(gathered[furthest + ends :].argmax()))


def shifted(rows: Rows, part: float) -> Rows:
    """Move each beat by a part of the way to the next."""
    return rows if part == 0 else rows[:-1] + np.rint(np.diff(rows) * part).astype(np.int64)


def _walked_back(origin: Rows, end: int) -> Rows:
    rows = []
    while end >= 0:
        rows.append(end)
        end = int(origin[end])
    return np.array(rows[::-1], np.int64)
