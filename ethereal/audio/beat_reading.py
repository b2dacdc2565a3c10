"""How well a chain of beats reads the music: whether it carries the accents and repeats itself in time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ethereal.audio.accents import AccentPart
from ethereal.audio.backbeat import backbeat
from ethereal.audio.beat_chain import Rows
from ethereal.audio.grid import GRID_RATE, Columns
from ethereal.audio.tempo import usual

LEAST_BEATS = 6
STEPS = 24  # a beat is looked at in as many parts
BETWEEN = (5, 8, 10, 12, 14, 16, 19)  # halves, thirds and fifths of a beat: accents there speak against it
HALF = 12
STRICTNESS = 3
REPEATS = (1, 2, 3, 4)
UNEVEN = 0.03
STEADY = 0.04
UNLIKE, ALIKE = 0.25, 0.8
CLEAR_FLUX = 0.04  # mean growth of level at the beats


@dataclass(frozen=True)
class Reading:
    """`score` compares chains over the same music, `confidence` stands alone; both 0..1."""

    score: float
    confidence: float


NOTHING = Reading(0.0, 0.0)


def read_chain(rows: Rows, music: AccentPart) -> Reading:
    """Judge a chain by what it lies in; fewer than LEAST_BEATS say nothing."""
    if len(rows) < LEAST_BEATS:
        return NOTHING
    likeness = _likeness(_profile(np.sqrt(music.weight), rows))
    evenness = float(np.exp(-0.5 * (_unevenness(rows) / UNEVEN) ** 2))
    clear = min(float(music.flux[rows].mean()) / CLEAR_FLUX, 1.0)
    fit = float(usual(60 * GRID_RATE / np.diff(rows).mean())) * (1 - _against(rows, music) ** STRICTNESS)
    alike = min(max((likeness - UNLIKE) / (ALIKE - UNLIKE), 0.0), 1.0)
    return Reading(fit * likeness * evenness, alike * evenness * clear)


def tempo_of(rows: Rows) -> float:
    """Return the usual tempo of a chain in beats a minute, pauses and changes left aside."""
    steps = np.diff(rows)
    steady = np.abs(steps / np.median(steps) - 1) < STEADY
    return 60 * GRID_RATE / float(steps[steady].mean() if steady.any() else steps.mean())


def _against(rows: Rows, music: AccentPart) -> float:
    """How heavy the heaviest place between beats is beside the beats, 0..1, whole and bass alike.

    Where the backbeat is clear, kicks may come half a beat early or late.
    """
    halves = np.rint((rows[:-1] + rows[1:]) / 2).astype(np.int64)
    clear = music.middle_share * backbeat(music.middle[rows], music.middle[halves])
    whole, bass = (_between(values, rows, clear) for values in (music.whole, music.bass))
    share = music.bass_share
    return float(((whole**STRICTNESS + share * bass**STRICTNESS) / (1 + share)) ** (1 / STRICTNESS))


def _between(values: Columns, rows: Rows, clear: float) -> float:
    """Compare the heaviest place between beats with the beats, and with what the backbeat allows half-way."""
    profile = _profile(values, rows).mean(axis=0)
    own = float(profile[0] + clear * profile[HALF])
    profile[HALF] *= 1 - clear
    heaviest = float(profile[list(BETWEEN)].max())
    return min(heaviest / own, 1.0) if own > 0 else float(heaviest > 0)


def _profile(values: Columns, rows: Rows) -> Columns:
    """Read `values` at STEPS places from each beat to the next; shape (beats - 1, STEPS)."""
    places = rows[:-1, None] + np.diff(rows)[:, None] * (np.arange(STEPS) / STEPS)
    return np.asarray(values[np.rint(places).astype(np.int64)])


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
