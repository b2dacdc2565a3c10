"""Features: per-frame numbers that scenes read, measured from canonical audio on the grid of the analysis."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np

from ethereal.audio.accents import measure_accents
from ethereal.audio.bands import BANDS, level
from ethereal.audio.beats import Beats, find_beats
from ethereal.audio.colour import audibility, measure_centroid, measure_width
from ethereal.audio.energy import LEFT, RIGHT, WEIGHTED, EnergyMeter, averaged, averaged_evenly
from ethereal.audio.envelope import follow
from ethereal.audio.feature_file import load_features, save_features
from ethereal.audio.feature_set import FEATURE_NAMES, FULL_LEVEL, FULL_LOUDNESS, Features
from ethereal.audio.flux import measure_level_flux, measure_swell_flux
from ethereal.audio.grid import BLOCK_ROWS, GRID_RATE, MARGIN, Columns, read_at_frames, read_stretches
from ethereal.audio.meter import OFFSET
from ethereal.audio.probe import probe_audio
from ethereal.audio.pulse import beat_columns, onset_columns
from ethereal.audio.spectrum import Power, band_powers, measure_spectrum
from ethereal.beat import Beat, no_beat

__all__ = ["FEATURE_NAMES", "Features", "load_features", "make_features", "save_features"]

RMS_STEPS = 10  # 50 ms
MOMENTARY_STEPS = 80  # 400 ms, as in ITU-R BS.1770
BAND_ROWS = 9  # a Hann window of 45 ms, so that no sound falls between two frames
READING, COUNTING = 0.9, 0.97  # of the work is done once the sound is read, and once the beats are found


def make_features(canonical: Path, *, fps: Fraction, frame_count: int, beat: Beat = no_beat) -> Features:
    """Measure canonical audio and read the features at the exact time of each frame, n / fps.

    Equal times give equal values at every frame rate. Frames after the end of the sound are silent.
    """
    power, steps = _read(canonical, beat)
    flux = measure_level_flux(power)
    loudness = level(
        averaged_evenly(steps[:, WEIGHTED], MOMENTARY_STEPS) * 10 ** (OFFSET / 10), FULL_LOUDNESS
    )
    accents = measure_accents(flux, measure_swell_flux(power))
    found = find_beats(accents, flux.whole, lambda part: beat(READING + (COUNTING - READING) * part))
    beats = _audible(found, loudness)
    beat(COUNTING)
    columns = _grid_columns(power, steps, loudness)
    *levels, centroid, width = [read_at_frames(column, fps, frame_count) for column in columns]
    onsets, rung = onset_columns(flux, fps, frame_count)
    values = np.column_stack([*levels, rung, beat_columns(beats.times, fps, frame_count), centroid, width])
    beat(1.0)
    return Features(
        names=FEATURE_NAMES,
        fps=fps,
        frame_count=frame_count,
        values=np.clip(values, 0, 1).astype(np.float32),
        tempo=beats.tempo,
        beat_confidence=beats.confidence,
        beats=tuple(beats.times.tolist()),
        onsets=tuple(onsets.times.tolist()),
    )


def _read(canonical: Path, beat: Beat) -> tuple[Power, Columns]:
    """Read the sound once, in stretches: its narrow bands per row, its energy per step."""
    expected = float(probe_audio(canonical).duration) * GRID_RATE
    meter = EnergyMeter()
    power, steps = [], []
    for stretch in read_stretches(canonical):
        power.append(measure_spectrum(stretch))
        steps.append(meter.measure(stretch[:, MARGIN:-MARGIN]))
        beat(READING * min(len(power) * BLOCK_ROWS / expected, 1.0))
    return np.concatenate(power), np.concatenate(steps)


def _grid_columns(power: Power, steps: Columns, loudness: Columns) -> Iterator[Columns]:
    """Yield what is read from the grid: rms, loudness, bands, their envelopes, centroid and width."""
    rms = level(averaged((steps[:, LEFT] + steps[:, RIGHT]) / 2, RMS_STEPS), FULL_LEVEL)
    bands = averaged(band_powers(power), BAND_ROWS)
    yield rms
    yield loudness
    for index, band in enumerate(BANDS):
        yield level(bands[:, index], band.top)
    for index, band in enumerate(BANDS):
        yield follow(level(bands[:, index], band.top), attack=band.attack, release=band.release)
    yield measure_centroid(power, audibility(rms))
    yield measure_width(steps, audibility(rms))


def _audible(beats: Beats, loudness: Columns) -> Beats:
    """Leave out beats in silence: the chain goes on through a pause."""
    rows = np.minimum(np.rint(beats.times * GRID_RATE).astype(np.int64), len(loudness) - 1)
    return Beats(beats.times[loudness[rows] > 0], beats.tempo, beats.confidence)
