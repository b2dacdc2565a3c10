"""Lays a chain of beats over the accents, after Ellis, "Beat tracking by dynamic programming", 2007."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ethereal.audio.grid import Columns
from ethereal.audio.row_file import ROWS_AT_ONCE

TIGHTNESS = 100.0

Rows: TypeAlias = NDArray[np.int64]


def lay_chain(salience: Callable[[slice], Columns], span: slice, period: float) -> Rows:
    """Return the rows of the chain in `span` that gathers most salience while its steps stay near the period.

    Of the salience a part is in memory at a time, and two bytes for each row of the span.
    """
    nearest, furthest = round(period / 2), round(period * 2)
    steps = np.arange(furthest, nearest - 1, -1)
    cost = TIGHTNESS * np.log(steps / period) ** 2
    gathered = np.zeros(furthest)  # of the rows before; what lies before the start is worth nothing
    origins: list[NDArray[np.int16]] = []  # how far back the beat before is, 0 without one
    for part in _stretches(salience, span, nearest):  # no row in such a stretch comes after another in it
        choices = sliding_window_view(gathered[: furthest - nearest + len(part)], len(steps)) - cost
        chosen = choices.argmax(axis=1)
        best = choices[np.arange(len(part)), chosen]
        gathered = np.concatenate([gathered[len(part) :], part + np.maximum(best, 0)])
        origins.append(np.where(best > 0, steps[chosen], 0).astype(np.int16))
    origin = np.concatenate(origins)
    last = gathered[-len(origin) :]
    return np.asarray(span.start + _walked_back(origin, len(origin) - len(last) + int(last.argmax())))


def _stretches(salience: Callable[[slice], Columns], span: slice, length: int) -> Iterator[Columns]:
    """Yield the salience of a span in stretches of `length` rows, read many at a time."""
    many = length * (ROWS_AT_ONCE // length)
    for start in range(span.start, span.stop, many):
        rows = salience(slice(start, min(start + many, span.stop)))
        yield from (rows[first : first + length] for first in range(0, len(rows), length))


def shifted(rows: Rows, part: float) -> Rows:
    """Move each beat by a part of the way to the next."""
    return rows if part == 0 else rows[:-1] + np.rint(np.diff(rows) * part).astype(np.int64)


def _walked_back(origin: NDArray[np.int16], end: int) -> Rows:
    rows = [end]
    while origin[rows[-1]]:
        rows.append(rows[-1] - int(origin[rows[-1]]))
    return np.array(rows[::-1], np.int64)
