"""The growth of a whole sound, row by row on disk: what onsets, accents and beats are found in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ethereal.audio.flux import Flux
from ethereal.audio.grid import Columns
from ethereal.audio.row_file import RowFile

WIDTH = 9


@dataclass(frozen=True)
class Grown:
    """Some rows: the growth of levels and of swells."""

    levels: Flux
    swells: Flux


@dataclass(frozen=True)
class Growth:
    """All rows of a sound, in a file of WIDTH numbers a row."""

    rows: RowFile

    def __len__(self) -> int:
        return len(self.rows)

    def append(self, levels: Flux, swells: Flux, sounds: NDArray[np.bool_], own: slice) -> None:
        """Add the own rows of a passage; `sounds` tells for each of them whether anything is heard."""
        columns = (*_columns(levels), *_columns(swells))
        self.rows.append(np.column_stack([*(column[own] for column in columns), sounds]))

    def read(self, start: int, end: int) -> Grown:
        """Return the rows from `start` to before `end`."""
        columns = np.ascontiguousarray(self.rows.read(start, end).T)
        return Grown(Flux(*columns[:4]), Flux(*columns[4:8]))

    def sounds_at(self, row: int) -> bool:
        """Whether anything is heard at a row."""
        return bool(self.rows.read(row, row + 1)[0, -1])


def _columns(flux: Flux) -> tuple[Columns, ...]:
    return flux.whole, flux.bass, flux.middle, flux.high
