"""Where sounds begin: the peaks that stand out of the flux."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from ethereal.audio.flux import Flux
from ethereal.audio.grid import GRID_RATE, Columns
from ethereal.audio.growth import Growth
from ethereal.audio.moving import highest_around, mean_around
from ethereal.audio.row_file import in_parts

# A window meets a sound before its centre does, and the level rises most steeply then: 7.5 ms early.
EARLY = 0.0075
AROUND = 20  # rows on each side: 100 ms
MEAN_SHARE = 0.7  # of that mean, so that a quick run of soft notes is heard
NEAREST = 6  # rows between two onsets
FULL = 0.5  # flux of an onset of strength 1


@dataclass(frozen=True)
class Onsets:
    """Times in seconds, rising, and strengths 0..1."""

    times: Columns
    strengths: Columns


def find_onsets(growth: Growth, of: Callable[[Flux], Columns], *, least: float) -> Onsets:
    """Find the peaks that stand out by `least` from the flux around them, and say how strong they are."""
    found = list(_peaks(growth, of, least))
    rows, flux = (np.concatenate([np.zeros(0), *column]) for column in zip(*found, strict=True))
    apart = np.diff(rows, prepend=-NEAREST - 1) > NEAREST
    return Onsets(rows[apart] / GRID_RATE + EARLY, np.minimum(flux[apart] / FULL, 1.0))


def standing_out(flux: Columns, mean_share: float = 1.0) -> Columns:
    """Return what is left of the flux without a share of its mean over the 200 ms around."""
    around = mean_around(flux, AROUND, AROUND)
    return np.asarray(np.maximum(flux - mean_share * around, 0))


def _peaks(growth: Growth, of: Callable[[Flux], Columns], least: float) -> Iterable[tuple[Columns, Columns]]:
    """Yield the rows of peaks and their flux, part by part."""
    for part in in_parts(len(growth), AROUND):
        flux = of(growth.read(part.first, part.last).levels)
        highest = flux == highest_around(flux, NEAREST)
        peaks = np.flatnonzero((highest & (standing_out(flux, MEAN_SHARE) > least))[part.own])
        yield (peaks + part.start).astype(np.float64), flux[part.own][peaks]
