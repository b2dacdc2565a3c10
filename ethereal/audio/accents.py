"""Where the weight of the music lies: what the beat is looked for in, made comparable over a piece."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d, maximum_filter1d, uniform_filter1d

from ethereal.audio.flux import Flux
from ethereal.audio.grid import GRID_RATE, Columns
from ethereal.audio.onsets import standing_out

BLUR = 2.0
PASSAGE = 12 * GRID_RATE
# Flux below these on average is hardly there, and is not blown up to look like music.
FAINT_LEVEL, FAINT_SWELL = 0.01, 0.003


@dataclass(frozen=True)
class Accents:
    """Per row, shape (rows,): `salience` of any beginning; `whole` and `bass` accents, of mean 1.

    `bass_share` says how far there is bass at all, 0..1.
    """

    salience: Columns
    whole: Columns
    bass: Columns
    bass_share: float

    @property
    def weight(self) -> Columns:
        """All accents; bass counts once more, for it carries the beat where there is any."""
        return self.whole + self.bass_share * self.bass


def measure_accents(levels: Flux, swells: Flux) -> Accents:
    """Return the accents of a piece from its growth on both scales."""
    bass = _salience(swells.bass, FAINT_SWELL)
    return Accents(
        salience=_salience(levels.whole, FAINT_LEVEL),
        whole=_mean_one(_salience(swells.whole, FAINT_SWELL) ** 2),
        bass=_mean_one(bass**2),
        bass_share=min(1.0, float(np.sqrt(np.mean(bass**2)))),
    )


def strongest_nearby(values: Columns) -> Columns:
    """Let each row see the strongest of the rows within 15 ms."""
    return np.asarray(maximum_filter1d(values, 7, mode="constant"))


def _salience(flux: Columns, faint: float) -> Columns:
    """Blur what stands out of the flux and divide it by its strength in the passage around."""
    blurred = gaussian_filter1d(standing_out(flux), BLUR, mode="constant")
    passage = np.sqrt(np.maximum(uniform_filter1d(blurred**2, PASSAGE, mode="reflect"), 0))
    return np.asarray(blurred / np.maximum(passage, faint))


def _mean_one(values: Columns) -> Columns:
    mean = values.mean()
    return values / mean if mean > 0 else values
