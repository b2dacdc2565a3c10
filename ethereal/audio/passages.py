"""The grid of a sound in passages, so that all of it need not be in memory.

A passage has some rows of its neighbours on both sides, for averages; what is measured there is dropped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from ethereal.audio.grid import Columns
from ethereal.audio.spectrum import Power

ROWS = 4096
BESIDE = 304  # the widest average looks 300 rows to each side; no more than ROWS


@dataclass(frozen=True)
class Passage:
    """Rows of the grid; those of `own` are its own."""

    power: Power
    steps: Columns
    own: slice


def in_passages(parts: Iterable[tuple[Power, Columns]]) -> Iterator[Passage]:
    """Yield the same rows in passages of ROWS, the last one shorter."""
    held: list[tuple[Power, Columns]] = []
    count = before = 0
    for part in parts:
        held.append(part)
        count += len(part[1])
        while count >= before + ROWS + BESIDE:
            power, steps = _joined(held)
            end = before + ROWS
            yield Passage(power[: end + BESIDE], steps[: end + BESIDE], slice(before, end))
            held = [(power[end - BESIDE :], steps[end - BESIDE :])]
            count, before = len(held[0][1]), BESIDE
    if count > before:
        yield Passage(*_joined(held), slice(before, count))


def _joined(parts: list[tuple[Power, Columns]]) -> tuple[Power, Columns]:
    power, steps = zip(*parts, strict=True)
    return np.concatenate(power), np.concatenate(steps)
