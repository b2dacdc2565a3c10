"""Onsets and beats as the eye takes them: full at once, then fading."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from ethereal.audio.envelope import ring
from ethereal.audio.grid import GRID_RATE, Columns, seconds_of_frames
from ethereal.audio.growth import Growth
from ethereal.audio.onsets import Onsets, find_onsets

# Times are known to a row: a frame that close before an event shows it.
SOON = 1 / GRID_RATE
LEAST, LEAST_BASS, LEAST_HIGH = 0.05, 0.15, 0.12  # fewer bands tremble more
ONSET_FADES, BEAT_FADE = (0.12, 0.18, 0.08), 0.2
LONGEST_BEAT = 1.9  # times the usual one; a longer one is a pause


def hear_onsets(growth: Growth) -> tuple[Onsets, Onsets, Onsets]:
    """Return the onsets in all bands, those of bass and those of highs."""
    return (
        find_onsets(growth, lambda flux: flux.whole, least=LEAST),
        find_onsets(growth, lambda flux: flux.bass, least=LEAST_BASS),
        find_onsets(growth, lambda flux: flux.high, least=LEAST_HIGH),
    )


def pulse_columns(onsets: Sequence[Onsets], beats: Columns, fps: Fraction, frames: range) -> Columns:
    """Return for each frame the fading strength of each kind of onset, the fading beat and its phase."""
    at = seconds_of_frames(fps, frames) + SOON
    rung = [
        ring(kind.times, kind.strengths, at, fade) for kind, fade in zip(onsets, ONSET_FADES, strict=True)
    ]
    return np.column_stack([*rung, ring(beats, np.ones(len(beats)), at, BEAT_FADE), _phase(beats, at)])


def _phase(times: Columns, at: Columns) -> Columns:
    if len(times) < 2:
        return np.zeros(len(at))
    lengths = np.diff(times)
    beat = np.clip(np.searchsorted(times, at, side="right") - 1, 0, len(lengths) - 1)
    phase = (at - times[beat]) / lengths[beat]
    known = (phase >= 0) & (phase < 1) & (lengths[beat] < LONGEST_BEAT * np.median(lengths))
    return np.where(known, phase, 0.0)
