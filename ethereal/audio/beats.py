"""Where the beat is, and how sure that is.

A chain of beats is laid for each likely period; the one whose beats carry the accents and repeat themselves
wins. Noise, silence and pads give low confidence, and then no beats at all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ethereal.audio.accents import Accents, strongest_nearby
from ethereal.audio.beat_chain import Rows, lay_chain, shifted
from ethereal.audio.grid import GRID_RATE, Columns
from ethereal.audio.onsets import EARLY
from ethereal.audio.tempo import candidate_periods, usual

LEAST_BEATS = 6
LEAST_CONFIDENCE = 0.3
SHIFTS = (0, 1 / 2, 1 / 3, 2 / 3, 1 / 4, 3 / 4)
PHASE_BASS = 1.5
CLEARLY_MORE = 1.05
STEPS = 24  # a beat is looked at in as many parts
BETWEEN = (5, 8, 10, 12, 14, 16, 19)  # halves, thirds and fifths of a beat: accents there speak against it
STRICTNESS = 3
REPEATS = (1, 2, 3, 4)
UNEVEN = 0.03
UNLIKE, ALIKE = 0.25, 0.8
CLEAR_FLUX = 0.04  # mean growth of level at the beats
SUPPORT = 0.25


@dataclass(frozen=True)
class Beats:
    """Beat times in seconds, the tempo in beats a minute and the confidence 0..1."""

    times: Columns
    tempo: float
    confidence: float


@dataclass(frozen=True)
class _Reading:
    """The beats by one period; `score` compares it with the others, `confidence` stands alone."""

    rows: Rows
    score: float
    confidence: float


def find_beats(accents: Accents, flux: Columns) -> Beats:
    """Find the beats of a piece. Below a confidence of 0.3 there are none, and the tempo is 0."""
    readings = [
        _read(_placed(chain, accents), accents, flux)
        for period in candidate_periods(accents.weight)
        if len(chain := lay_chain(accents.salience, period)) > LEAST_BEATS
    ]
    best = max(readings, key=lambda reading: reading.score, default=_Reading(np.zeros(0, np.int64), 0.0, 0.0))
    if best.confidence < LEAST_CONFIDENCE:
        return Beats(np.zeros(0), 0.0, best.confidence)
    rows = _supported(best.rows, accents.salience)
    return Beats(rows / GRID_RATE + EARLY, _tempo(rows), best.confidence)


def _placed(chain: Rows, accents: Accents) -> Rows:
    """Shift the chain to where the weight is: a loud hat between the kicks may have drawn it."""
    weight = strongest_nearby(accents.whole + PHASE_BASS * accents.bass_share * accents.bass)
    best, most = chain, 0.0
    for part in SHIFTS:
        rows = shifted(chain, part)
        here = float(weight[rows].mean())
        if here > most * CLEARLY_MORE:
            best, most = rows, here
    return best


def _read(rows: Rows, accents: Accents, flux: Columns) -> _Reading:
    likeness = _likeness(_profile(np.sqrt(accents.weight), rows))
    evenness = float(np.exp(-0.5 * (_unevenness(rows) / UNEVEN) ** 2))
    clear = min(float(strongest_nearby(flux)[rows].mean()) / CLEAR_FLUX, 1.0)
    fit = float(usual(np.array(_tempo(rows)))) * (1 - _against(rows, accents) ** STRICTNESS)
    alike = min(max((likeness - UNLIKE) / (ALIKE - UNLIKE), 0.0), 1.0)
    return _Reading(rows, fit * likeness * evenness, alike * evenness * clear)


def _against(rows: Rows, accents: Accents) -> float:
    """How heavy the heaviest place between beats is beside the beats, 0..1, whole and bass alike."""
    whole, bass = (_between(values, rows) for values in (accents.whole, accents.bass))
    share = accents.bass_share
    return float(((whole**STRICTNESS + share * bass**STRICTNESS) / (1 + share)) ** (1 / STRICTNESS))


def _between(values: Columns, rows: Rows) -> float:
    profile = _profile(strongest_nearby(values), rows).mean(axis=0)
    heaviest = float(profile[list(BETWEEN)].max())
    return min(heaviest / float(profile[0]), 1.0) if profile[0] > 0 else float(heaviest > 0)


def _profile(values: Columns, rows: Rows) -> Columns:
    """Read `values` at STEPS places from each beat to the next; shape (beats - 1, STEPS)."""
    places = rows[:-1, None] + np.diff(rows)[:, None] * (np.arange(STEPS) / STEPS)
    return np.interp(places, np.arange(len(values)), values)


def _likeness(profile: Columns) -> float:
    """How much beats resemble those one to four before them: 1 for a machine, near 0 for noise."""
    centred = profile - profile.mean()
    power = float(np.mean(centred**2))
    if power <= 0:
        return 0.0
    return max(0.0, *(float(np.mean(centred[step:] * centred[:-step])) / power for step in REPEATS))


def _unevenness(rows: Rows) -> float:
    """How much one step differs from the next, as a part of it; a tempo that drifts is even."""
    return float(np.std(np.diff(np.log(np.diff(rows)))) / np.sqrt(2))


def _supported(rows: Rows, salience: Columns) -> Rows:
    """Leave out the beats before the first and after the last that can be heard."""
    heard = strongest_nearby(salience)[rows]
    kept = np.flatnonzero(heard >= SUPPORT * np.median(heard))
    return rows[kept[0] : kept[-1] + 1]


def _tempo(rows: Rows) -> float:
    return float(60 * GRID_RATE / np.mean(np.diff(rows)))
