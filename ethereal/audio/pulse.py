"""Onsets and beats as the eye takes them: full at once, then fading."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from ethereal.audio.envelope import ring
from ethereal.audio.flux import Flux
from ethereal.audio.grid import GRID_RATE, Columns, seconds_of_frames
from ethereal.audio.onsets import Onsets, find_onsets

# Times are known to a row: a frame that close before an event shows it.
SOON = 1 / GRID_RATE
LEAST, LEAST_BASS, LEAST_HIGH = 0.05, 0.15, 0.12  # fewer bands tremble more
ONSET_FADE, BASS_FADE, HIGH_FADE, BEAT_FADE = 0.12, 0.18, 0.08, 0.2
LONGEST_BEAT = 1.9  # times the usual one; a longer one is a pause


def onset_columns(flux: Flux, fps: Fraction, frame_count: int) -> tuple[Onsets, Columns]:
    """Return the onsets in all bands, and per frame the fading strength of all, of bass and of highs."""
    at = seconds_of_frames(fps, frame_count) + SOON
    found = [
        (find_onsets(flux.whole, least=LEAST), ONSET_FADE),
        (find_onsets(flux.bass, least=LEAST_BASS), BASS_FADE),
        (find_onsets(flux.high, least=LEAST_HIGH), HIGH_FADE),
    ]
    rung = [ring(onsets.times, onsets.strengths, at, fade) for onsets, fade in found]
    return found[0][0], np.column_stack(rung)


def beat_columns(times: Columns, fps: Fraction, frame_count: int) -> Columns:
    """Return per frame the fading beat, and how far the time is from one beat to the next."""
    at = seconds_of_frames(fps, frame_count) + SOON
    return np.column_stack([ring(times, np.ones(len(times)), at, BEAT_FADE), _phase(times, at)])


def _phase(times: Columns, at: Columns) -> Columns:
    if len(times) < 2:
        return np.zeros(len(at))
    lengths = np.diff(times)
    beat = np.clip(np.searchsorted(times, at, side="right") - 1, 0, len(lengths) - 1)
    phase = (at - times[beat]) / lengths[beat]
    known = (phase >= 0) & (phase < 1) & (lengths[beat] < LONGEST_BEAT * np.median(lengths))
    return np.where(known, phase, 0.0)
