"""Follows the best reading through a piece whose tempo may change, in windows of 24 s."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ethereal.audio.accents import Accents
from ethereal.audio.beat_chain import Rows
from ethereal.audio.beat_reading import LEAST_BEATS, Reading, read_chain
from ethereal.audio.grid import GRID_RATE

WINDOW, MOVE = 24 * GRID_RATE, 12 * GRID_RATE
CHANGE = 0.5  # a change must make the windows it touches better by this much
LEAST_CONFIDENCE = 0.3


def make_windows(count: int) -> list[slice]:
    """Return overlapping windows over `count` rows; the last one is at least as long as MOVE."""
    starts = range(0, max(count - WINDOW, 0) + 1, MOVE)
    return [slice(start, start + WINDOW if start != starts[-1] else count) for start in starts]


def follow_path(chains: Sequence[Rows], windows: Sequence[slice], accents: Accents) -> tuple[Rows, float]:
    """Return the beats of the best chain in each window, and how sure they are where anything sounds.

    Windows in which the best chain is below LEAST_CONFIDENCE have no beats.
    """
    readings, weights = [], []
    for window in windows:
        part = accents.part(window)
        readings.append([read_chain(_inside(chain, window) - window.start, part) for chain in chains])
        weights.append(float(part.flux.sum()))
    path = _best_path(np.array([[reading.score for reading in row] for row in readings]))
    chosen = [row[index] for row, index in zip(readings, path, strict=True)]
    parts = [
        _inside(chains[index], _own_part(windows, number))
        for number, (index, reading) in enumerate(zip(path, chosen, strict=True))
        if reading.confidence >= LEAST_CONFIDENCE
    ]
    return _joined(parts), _overall(chosen, weights)


def _inside(chain: Rows, window: slice) -> Rows:
    first, last = np.searchsorted(chain, [window.start, window.stop])
    return chain[first:last]


def _best_path(scores: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> list[int]:
    """Return the index in each row that gathers the highest sum when each change costs CHANGE."""
    gathered = scores[0]
    origins = []
    for row in scores[1:]:
        stay, best = gathered, int(gathered.argmax())
        changed = gathered[best] - CHANGE > stay
        origins.append(np.where(changed, best, np.arange(len(row))))
        gathered = row + np.where(changed, gathered[best] - CHANGE, stay)
    path = [int(gathered.argmax())]
    for origin in reversed(origins):
        path.append(int(origin[path[-1]]))
    return path[::-1]


def _own_part(windows: Sequence[slice], number: int) -> slice:
    """Return the middle of a window, up to those of its neighbours."""
    overlap = (WINDOW - MOVE) // 2
    window = windows[number]
    start = window.start + (overlap if number > 0 else 0)
    return slice(start, windows[number + 1].start + overlap if number + 1 < len(windows) else window.stop)


def _joined(parts: Sequence[Rows]) -> Rows:
    """Join beats, leaving out those that come too soon after the one before, where the tempo changes."""
    rows = np.concatenate([np.zeros(0, np.int64), *parts])
    if len(rows) < LEAST_BEATS:
        return rows[:0]
    steps = np.diff(rows)
    return np.asarray(rows[np.concatenate([[True], steps > 0.6 * np.median(steps)])])


def _overall(readings: Sequence[Reading], weights: Sequence[float]) -> float:
    if sum(weights) <= 0:
        return 0.0
    return float(np.average([reading.confidence for reading in readings], weights=weights))
