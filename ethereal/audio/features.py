"""Features: per-frame numbers that scenes read, measured from canonical audio on the grid of the analysis."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ethereal.audio.accents import Accents, measure_accents
from ethereal.audio.bands import BANDS, level
from ethereal.audio.beats import Beats, find_beats
from ethereal.audio.colour import audibility, measure_centroid, measure_width
from ethereal.audio.energy import LEFT, RIGHT, WEIGHTED, EnergyMeter, averaged, averaged_evenly
from ethereal.audio.envelope import Follower
from ethereal.audio.feature_file import load_features, save_features
from ethereal.audio.feature_set import FEATURE_NAMES, FULL_LEVEL, FULL_LOUDNESS, Features
from ethereal.audio.flux import Flux, join_flux, measure_level_flux, measure_swell_flux
from ethereal.audio.grid import BLOCK_ROWS, GRID_RATE, MARGIN, Columns, FrameReader, read_stretches
from ethereal.audio.meter import OFFSET
from ethereal.audio.passages import Passage, in_passages
from ethereal.audio.probe import probe_audio
from ethereal.audio.pulse import beat_columns, onset_columns
from ethereal.audio.spectrum import Power, band_powers, measure_spectrum
from ethereal.beat import Beat, no_beat

__all__ = ["FEATURE_NAMES", "Features", "load_features", "make_features", "save_features"]

RMS_STEPS = 10  # 50 ms
MOMENTARY_STEPS = 80  # 400 ms, as in ITU-R BS.1770
BAND_ROWS = 9  # a Hann window of 45 ms, so that no sound falls between two frames
_COUNTED = slice(FEATURE_NAMES.index("onset"), FEATURE_NAMES.index("beat_phase") + 1)
_MEASURED = [*range(_COUNTED.start), *range(_COUNTED.stop, len(FEATURE_NAMES))]
_LOUDNESS = FEATURE_NAMES.index("loudness")
READING, COUNTING = 0.9, 0.97  # of the work is done once the sound is read, and once the beats are found


def make_features(canonical: Path, *, fps: Fraction, frame_count: int, beat: Beat = no_beat) -> Features:
    """Measure canonical audio and read the features at the exact time of each frame, n / fps.

    Equal times give equal values at every frame rate. Frames after the end of the sound are silent. Of the
    sound a passage is in memory at a time, and of the grid what onsets and beats are found in.
    """
    heard = _listen(canonical, fps, frame_count, beat)
    found = find_beats(
        heard.accents, heard.flux.whole, lambda part: beat(READING + (COUNTING - READING) * part)
    )
    beats = _sounding(found, heard.sounds)
    beat(COUNTING)
    onsets, rung = onset_columns(heard.flux, fps, frame_count)
    counted = np.column_stack([rung, beat_columns(beats.times, fps, frame_count)])
    heard.values[:, _COUNTED] = np.clip(counted, 0, 1)
    beat(1.0)
    return Features(
        names=FEATURE_NAMES,
        fps=fps,
        frame_count=frame_count,
        values=heard.values,
        tempo=beats.tempo,
        beat_confidence=beats.confidence,
        beats=tuple(beats.times.tolist()),
        onsets=tuple(onsets.times.tolist()),
    )


@dataclass(frozen=True)
class _Heard:
    """What is kept of a sound: `values` has a row per frame, the others one per row of the grid."""

    values: NDArray[np.float32]
    flux: Flux
    accents: Accents
    sounds: NDArray[np.bool_]


def _listen(canonical: Path, fps: Fraction, frame_count: int, beat: Beat) -> _Heard:
    """Read the sound once and measure it passage by passage."""
    values = np.zeros((frame_count, len(FEATURE_NAMES)), np.float32)
    reader, levels, done = FrameReader(fps, frame_count), _Levels(), 0
    growth, swells, sounds = [], [], []
    for passage in in_passages(_read(canonical, beat)):
        growth.append(measure_level_flux(passage.power).within(passage.own))
        swells.append(measure_swell_flux(passage.power).within(passage.own))
        columns = levels.measure(passage)
        sounds.append(columns[:, _LOUDNESS] > 0)
        done += _put(values, done, reader.hear(columns))
    _put(values, done, reader.hear(np.zeros((2, len(_MEASURED)))))
    flux = join_flux(growth)
    return _Heard(values, flux, measure_accents(flux, join_flux(swells)), np.concatenate(sounds))


def _put(values: NDArray[np.float32], start: int, columns: Columns) -> int:
    values[start : start + len(columns), _MEASURED] = np.clip(columns, 0, 1)
    return len(columns)


def _read(canonical: Path, beat: Beat) -> Iterator[tuple[Power, Columns]]:
    """Yield stretch after stretch its narrow bands per row and its energy per step."""
    expected = float(probe_audio(canonical).duration) * GRID_RATE
    meter = EnergyMeter()
    for number, stretch in enumerate(read_stretches(canonical), start=1):
        yield measure_spectrum(stretch), meter.measure(stretch[:, MARGIN:-MARGIN])
        beat(READING * min(number * BLOCK_ROWS / expected, 1.0))


class _Levels:
    """Measures what is read from the grid: rms, loudness, bands, their envelopes, centroid and width."""

    def __init__(self) -> None:
        self._followers = [Follower(attack=band.attack, release=band.release) for band in BANDS]

    def measure(self, passage: Passage) -> Columns:
        """Return the columns of the passage's own rows, in the order of `_MEASURED`."""
        power, steps, own = passage.power, passage.steps, passage.own
        rms = level(averaged((steps[:, LEFT] + steps[:, RIGHT]) / 2, RMS_STEPS), FULL_LEVEL)
        loudness = level(
            averaged_evenly(steps[:, WEIGHTED], MOMENTARY_STEPS) * 10 ** (OFFSET / 10), FULL_LOUDNESS
        )
        bands = averaged(band_powers(power), BAND_ROWS)[own]
        levels = [level(bands[:, index], band.top) for index, band in enumerate(BANDS)]
        envelopes = [follower.hear(column) for follower, column in zip(self._followers, levels, strict=True)]
        audible = audibility(rms)
        colour = measure_centroid(power, audible)[own], measure_width(steps, audible)[own]
        return np.column_stack([rms[own], loudness[own], *levels, *envelopes, *colour])


def _sounding(beats: Beats, sounds: NDArray[np.bool_]) -> Beats:
    """Leave out beats in silence: the chain goes on through a pause."""
    rows = np.minimum(np.rint(beats.times * GRID_RATE).astype(np.int64), len(sounds) - 1)
    return Beats(beats.times[sounds[rows]], beats.tempo, beats.confidence)
