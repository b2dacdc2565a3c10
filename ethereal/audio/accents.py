"""Where the weight of the music lies: what the beat is looked for in, made comparable over a piece."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ethereal.audio.grid import GRID_RATE, Columns
from ethereal.audio.growth import Growth
from ethereal.audio.moving import blurred, highest_around, mean_around
from ethereal.audio.onsets import standing_out
from ethereal.audio.row_file import ROWS_AT_ONCE, RowFile, in_parts

BLUR = 2.0
PASSAGE = 6 * GRID_RATE  # rows on each side
BESIDE = PASSAGE + 40  # rows that a passage, a blur and a mean reach to
NEARBY = 3  # rows: 15 ms
WIDTH = 5
# Flux below these on average is hardly there, and is not blown up to look like music.
FAINT_LEVEL, FAINT_SWELL = 0.01, 0.003


@dataclass(frozen=True)
class AccentPart:
    """Accents of some rows, all of shape (rows,).

    `salience` is that of any beginning, `weight` all accents, of which bass counts once more, for it carries
    the beat where there is any. Of the others each row has the strongest of those nearby. The shares say how
    far there is bass, and anything in the middle, at all in the piece, 0..1.
    """

    salience: Columns
    weight: Columns
    whole: Columns
    bass: Columns
    middle: Columns
    flux: Columns
    bass_share: float
    middle_share: float


@dataclass(frozen=True)
class Accents:
    """The accents of a piece, kept on disk: salience and flux of each row, then whole, bass and middle.

    `means` are those of the last three.
    """

    rows: RowFile
    means: tuple[float, float, float]

    @property
    def bass_share(self) -> float:
        """How far there is bass, 0..1."""
        return _share(self.means[1])

    @property
    def middle_share(self) -> float:
        """How far there is anything in the middle bands, 0..1."""
        return _share(self.means[2])

    def __len__(self) -> int:
        return len(self.rows)

    def salience(self, rows: slice) -> Columns:
        """Return the salience of some rows."""
        return np.ascontiguousarray(self.rows.read(rows.start, rows.stop)[:, 0])

    def part(self, rows: slice) -> AccentPart:
        """Return the accents of some rows; those of a kind have a mean of 1 over the piece."""
        first = max(rows.start - NEARBY, 0)
        salience, flux, *accents = np.ascontiguousarray(self.rows.read(first, rows.stop + NEARBY).T)
        whole, bass, middle = (part / (mean or 1.0) for part, mean in zip(accents, self.means, strict=True))
        own = slice(rows.start - first, rows.stop - first)
        return AccentPart(
            salience=salience[own],
            weight=(whole + self.bass_share * bass)[own],
            whole=highest_around(whole, NEARBY)[own],
            bass=highest_around(bass, NEARBY)[own],
            middle=highest_around(middle, NEARBY)[own],
            flux=highest_around(flux, NEARBY)[own],
            bass_share=self.bass_share,
            middle_share=self.middle_share,
        )

    def at(self, rows: NDArray[np.int64], of: Callable[[AccentPart], Columns]) -> Columns:
        """Return the columns that `of` gives, at single rows in any order."""
        parts, order = rows // ROWS_AT_ONCE, np.argsort(rows, kind="stable")
        found = [np.zeros((0, 1))]
        for number in np.unique(parts).tolist():
            start = number * ROWS_AT_ONCE
            here = rows[order][parts[order] == number]
            found.append(of(self.part(slice(start, start + ROWS_AT_ONCE)))[here - start])
        return np.concatenate(found[1:] or found)[np.argsort(order, kind="stable")]


def measure_accents(growth: Growth, rows: RowFile) -> Accents:
    """Write the accents of a piece into `rows`, from its growth on both scales."""
    sums = np.zeros(3)
    for part in in_parts(len(growth), BESIDE):
        grown = growth.read(part.first, part.last)
        swells = (grown.swells.whole, grown.swells.bass, grown.swells.middle)
        accents = [_salience(swell, FAINT_SWELL)[part.own] ** 2 for swell in swells]
        salience = _salience(grown.levels.whole, FAINT_LEVEL)[part.own]
        rows.append(np.column_stack([salience, grown.levels.whole[part.own], *accents]))
        sums += [column.sum() for column in accents]
    whole, bass, middle = (sums / max(len(growth), 1)).tolist()
    return Accents(rows, (whole, bass, middle))


def _share(mean: float) -> float:
    return min(1.0, math.sqrt(mean))


def _salience(flux: Columns, faint: float) -> Columns:
    """Blur what stands out of the flux and divide it by its strength in the passage around."""
    salient = blurred(standing_out(flux), BLUR)
    mirrored = np.pad(salient**2, PASSAGE, mode="symmetric")
    passage = np.sqrt(np.maximum(mean_around(mirrored, PASSAGE, PASSAGE - 1)[PASSAGE:-PASSAGE], 0))
    return np.asarray(salient / np.maximum(passage, faint))
