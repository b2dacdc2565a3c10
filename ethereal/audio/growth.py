"""The growth of a whole sound, row by row on disk: what onsets, accents and beats are found in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ethereal.audio.flux import Flux
from ethereal.audio.grid import Columns
from ethereal.audio.row_file import RowFile

WIDTH = 6


@dataclass(frozen=True)
class Grown:
    """Some rows: the growth of levels, and of swells in all bands and in the bass."""

    flux: Flux
    swell: Columns
    bass_swell: Columns


@dataclass(frozen=True)
class Growth:
    """All rows of a sound, in a file of WIDTH numbers a row."""

    rows: RowFile

    def __len__(self) -> int:
        return len(self.rows)

    def append(self, levels: Flux, swells: Flux, sounds: NDArray[np.bool_], own: slice) -> None:
        """Add the own rows of a passage; `sounds` tells for each of them whether anything is heard."""
        columns = (levels.whole, levels.bass, levels.high, swells.whole, swells.bass)
        self.rows.append(np.column_stack([*(column[own] for column in columns), sounds]))

    def read(self, start: int, end: int) -> Grown:
        """Return the rows from `start` to before `end`."""
        whole, bass, high, swell, bass_swell, _ = np.ascontiguousarray(self.rows.read(start, end).T)
        return Grown(Flux(whole, bass, high), swell, bass_swell)

    def sounds_at(self, row: int) -> bool:
        """Whether anything is heard at a row."""
        return bool(self.rows.read(row, row + 1)[0, -1])
