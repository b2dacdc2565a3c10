"""Where the weight of the music lies: what the beat is looked for in, made comparable over a piece."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d, maximum_filter1d, uniform_filter1d

from ethereal.audio.grid import GRID_RATE, Columns
from ethereal.audio.growth import Growth
from ethereal.audio.onsets import standing_out
from ethereal.audio.row_file import ROWS_AT_ONCE, RowFile, in_parts

BLUR = 2.0
PASSAGE = 12 * GRID_RATE
BESIDE = PASSAGE // 2 + 40  # rows that a passage, a blur and a mean reach to
NEARBY = 3  # rows: 15 ms
# Flux below these on average is hardly there, and is not blown up to look like music.
FAINT_LEVEL, FAINT_SWELL = 0.01, 0.003


@dataclass(frozen=True)
class AccentPart:
    """Accents of some rows, all of shape (rows,).

    `salience` is that of any beginning, `weight` all accents, of which bass counts once more, for it carries
    the beat where there is any. Of `whole`, `bass` and `flux` each row has the strongest of those nearby.
    `bass_share` says how far there is bass at all in the piece, 0..1.
    """

    salience: Columns
    weight: Columns
    whole: Columns
    bass: Columns
    flux: Columns
    bass_share: float


@dataclass(frozen=True)
class Accents:
    """The accents of a piece, kept on disk: salience, whole and bass accents and flux of each row."""

    rows: RowFile
    mean_whole: float
    mean_bass: float
    bass_share: float

    def __len__(self) -> int:
        return len(self.rows)

    def salience(self, rows: slice) -> Columns:
        """Return the salience of some rows."""
        return np.ascontiguousarray(self.rows.read(rows.start, rows.stop)[:, 0])

    def part(self, rows: slice) -> AccentPart:
        """Return the accents of some rows; both accents have a mean of 1 over the piece."""
        first = max(rows.start - NEARBY, 0)
        salience, whole, bass, flux = np.ascontiguousarray(self.rows.read(first, rows.stop + NEARBY).T)
        whole, bass = whole / self.mean_whole, bass / self.mean_bass
        own = slice(rows.start - first, rows.stop - first)
        return AccentPart(
            salience=salience[own],
            weight=(whole + self.bass_share * bass)[own],
            whole=_strongest_nearby(whole)[own],
            bass=_strongest_nearby(bass)[own],
            flux=_strongest_nearby(flux)[own],
            bass_share=self.bass_share,
        )

    def at(self, rows: Sequence[int] | np.ndarray, of: Callable[[AccentPart], Columns]) -> Columns:
        """Return what `of` gives for single rows."""
        wanted = np.asarray(rows, np.int64)
        found = np.zeros(len(wanted))
        for number in np.unique(wanted // ROWS_AT_ONCE).tolist():
            start = number * ROWS_AT_ONCE
            here = wanted // ROWS_AT_ONCE == number
            part = self.part(slice(start, start + ROWS_AT_ONCE))
            found[here] = of(part)[wanted[here] - start]
        return found


def measure_accents(growth: Growth, rows: RowFile) -> Accents:
    """Write the accents of a piece into `rows`, from its growth on both scales."""
    sums = np.zeros(2)
    for part in in_parts(len(growth), BESIDE):
        grown = growth.read(part.first, part.last)
        whole, bass = (
            _salience(swell, FAINT_SWELL)[part.own] ** 2 for swell in (grown.swell, grown.bass_swell)
        )
        salience = _salience(grown.flux.whole, FAINT_LEVEL)[part.own]
        rows.append(np.column_stack([salience, whole, bass, grown.flux.whole[part.own]]))
        sums += whole.sum(), bass.sum()
    whole_mean, bass_mean = (sums / max(len(growth), 1)).tolist()
    return Accents(
        rows,
        mean_whole=whole_mean or 1.0,
        mean_bass=bass_mean or 1.0,
        bass_share=min(1.0, float(np.sqrt(bass_mean))),
    )


def _strongest_nearby(values: Columns) -> Columns:
    return np.asarray(maximum_filter1d(values, 2 * NEARBY + 1, mode="constant"))


def _salience(flux: Columns, faint: float) -> Columns:
    """Blur what stands out of the flux and divide it by its strength in the passage around."""
    blurred = gaussian_filter1d(standing_out(flux), BLUR, mode="constant")
    passage = np.sqrt(np.maximum(uniform_filter1d(blurred**2, PASSAGE, mode="reflect"), 0))
    return np.asarray(blurred / np.maximum(passage, faint))
