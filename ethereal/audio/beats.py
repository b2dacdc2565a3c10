"""Where the beat is, and how sure that is.

A chain of beats is laid for each likely period; the one whose beats carry the accents and repeat themselves
wins, and another may win later.
Noise, silence and pads give low confidence, and then no beats at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ethereal.audio.accents import AccentPart, Accents
from ethereal.audio.backbeat import backbeat, steadiness
from ethereal.audio.beat_chain import Rows, lay_chain, shifted
from ethereal.audio.beat_path import LEAST_CONFIDENCE, follow_path, make_windows
from ethereal.audio.beat_reading import CLEAR_FLUX, LEAST_BEATS, tempo_of
from ethereal.audio.grid import GRID_RATE, Columns
from ethereal.audio.moving import mean_around
from ethereal.audio.onsets import EARLY
from ethereal.audio.period_tracks import find_tracks
from ethereal.beat import Beat, no_beat

SHIFTS = (0, 1 / 2, 1 / 3, 2 / 3, 1 / 4, 3 / 4)
PHASE_BASS = 1.5
CLEAR_PLACE = 2.0  # how much more a place weighs that has a clear backbeat or a kick on each beat
CLEARLY_MORE = 1.05
BESIDE, LEAST_CLEAR = 4, 0.3  # beats on each side, and how many of those beside must sound


@dataclass(frozen=True)
class Beats:
    """Beat times in seconds, the usual tempo in beats a minute and the confidence 0..1."""

    times: Columns
    tempo: float
    confidence: float


def find_beats(accents: Accents, beat: Beat = no_beat) -> Beats:
    """Find the beats of a piece. Below a confidence of 0.3 there are none, and the tempo is 0."""
    windows = make_windows(len(accents))
    chains = _lay_chains(accents, windows, beat)
    if not chains:
        return Beats(np.zeros(0), 0.0, 0.0)
    rows, confidence = follow_path(chains, windows, accents)
    rows = _heard(rows, accents)
    if confidence < LEAST_CONFIDENCE or len(rows) < LEAST_BEATS:
        return Beats(np.zeros(0), 0.0, min(confidence, LEAST_CONFIDENCE - 0.01))
    return Beats(rows / GRID_RATE + EARLY, tempo_of(rows), confidence)


def _lay_chains(accents: Accents, windows: Sequence[slice], beat: Beat) -> list[Rows]:
    """Lay a chain for every likely period over the part of the piece where it is likely."""
    chains: list[Rows] = []
    tracks = find_tracks(lambda rows: accents.part(rows).weight, windows)
    for number, track in enumerate(tracks):
        beat(number / len(tracks))
        chain = lay_chain(accents.salience, track.span(windows), track.period)
        if len(chain) > LEAST_BEATS:
            chains.append(_placed(chain, accents))
    return chains


def _placed(chain: Rows, accents: Accents) -> Rows:
    """Shift the chain to where the weight is: a loud hat between the kicks may have drawn it."""
    best, most = chain, 0.0
    for rows, here in _places(chain, accents):
        if here > most * CLEARLY_MORE:
            best, most = rows, here
    return best


def _places(chain: Rows, accents: Accents) -> Iterator[tuple[Rows, float]]:
    """Yield the chain where it may lie, and what speaks for it: what it carries there, and how it repeats."""
    places = [shifted(chain, part) for part in SHIFTS]
    both = [*places, *(shifted(rows, 1 / 2) for rows in places)]
    heard = accents.at(np.concatenate(both), _told_by)
    parts = np.split(heard, np.cumsum([len(rows) for rows in both])[:-1])
    for rows, on, between in zip(places, parts, parts[len(places) :], strict=False):
        carried, bass, middle = zip(on.T, between.T, strict=True)
        clear = max(accents.bass_share * steadiness(*bass), accents.middle_share * backbeat(*middle))
        yield rows, float(carried[0].mean()) * (1 + CLEAR_PLACE * clear)


def _told_by(part: AccentPart) -> Columns:
    carried = part.whole + PHASE_BASS * part.bass_share * part.bass
    return np.column_stack([carried, part.bass, part.middle])


def _heard(rows: Rows, accents: Accents) -> Rows:
    """Keep beats that sound among others that do, and silent ones that have such beats on both sides."""
    clear = accents.at(rows, lambda part: part.flux[:, None])[:, 0] >= CLEAR_FLUX

    def some(before: int, after: int) -> NDArray[np.bool_]:
        return np.asarray(mean_around(clear.astype(np.float64), before, after) >= LEAST_CLEAR)

    among, between = some(BESIDE, BESIDE), some(BESIDE, 0) & some(0, BESIDE)
    return np.asarray(rows[(clear & among) | between])
