"""What lies around each value of a row of them: mean, highest, weighted sum.

After scipy.ndimage, which tests hold this to; importing SciPy takes a quarter of a second of every start.
"""

from __future__ import annotations

import numpy as np

from ethereal.audio.grid import Columns

_GAUSS_REACH = 4.0  # deviations


def correlate(values: Columns, weights: Columns) -> Columns:
    """Return the sums of `values` under `weights` along the first axis, wherever all weights lie on a value.

    Shape (rows - weights + 1, ...).
    """
    count = len(values) - len(weights) + 1
    sums = weights[0] * values[:count]
    for place, weight in enumerate(weights[1:], start=1):
        sums += weight * values[place : place + count]
    return np.asarray(sums)


def weighted(values: Columns, weights: Columns) -> Columns:
    """Return the sum under `weights` around each row, with zeros beyond the ends.

    Of an even number of weights, one more lies before the row than after it.
    """
    before = len(weights) // 2
    beyond = [(before, len(weights) - before - 1), *[(0, 0)] * (values.ndim - 1)]
    return correlate(np.pad(values, beyond), weights)


def blurred(values: Columns, deviation: float) -> Columns:
    """Blur a row by a Gaussian of `deviation` rows, with zeros beyond the ends."""
    reach = int(_GAUSS_REACH * deviation + 0.5)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / deviation) ** 2)
    return weighted(values, weights / weights.sum())


def mean_around(values: Columns, before: int, after: int) -> Columns:
    """Return the mean of each value of a row with so many before it and after it, with zeros beyond the ends.

    By running sums, so that a wide mean costs no more; where all is 0, rounding may leave 1e-16 of what was.
    """
    sums = np.concatenate([[0.0], np.cumsum(np.pad(values, (before, after)))])
    count = before + 1 + after
    return np.asarray((sums[count:] - sums[:-count]) / count)


def highest_around(values: Columns, reach: int) -> Columns:
    """Return the highest of each value of a row and those within `reach` of it."""
    highest = values.copy()
    for step in range(1, reach + 1):
        np.maximum(highest[step:], values[:-step], out=highest[step:])
        np.maximum(highest[:-step], values[step:], out=highest[:-step])
    return highest
