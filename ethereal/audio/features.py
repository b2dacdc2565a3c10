"""Features: per-frame numbers that scenes read, measured from canonical audio on the grid of the analysis."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from ethereal.audio.accents import measure_accents
from ethereal.audio.beats import Beats, find_beats
from ethereal.audio.chroma import CHROMA_RATE
from ethereal.audio.feature_file import Told, load_features, save_features, save_rows
from ethereal.audio.feature_set import CHROMA_NAMES, FEATURE_NAMES, Features
from ethereal.audio.grid import GRID_RATE, Columns, rows_at_frames
from ethereal.audio.growth import Growth
from ethereal.audio.listening import Heard, listen, open_heard
from ethereal.audio.onsets import Onsets
from ethereal.audio.pulse import hear_onsets, pulse_columns
from ethereal.audio.sections import MOMENT_RATE, measure_novelty
from ethereal.beat import Beat, no_beat
from ethereal.whole import scratch_beside

__all__ = ["FEATURE_NAMES", "Features", "load_features", "make_features", "save_features", "write_features"]

READING, COUNTING = 0.9, 0.97  # of the work is done once the sound is read, and once the beats are found
FRAMES_AT_ONCE = 4096
# What is measured as the sound is read: the columns before the pulses, and three after them.
_PULSES = slice(FEATURE_NAMES.index("onset"), FEATURE_NAMES.index("beat_phase") + 1)


def make_features(canonical: Path, *, fps: Fraction, frame_count: int, beat: Beat = no_beat) -> Features:
    """Do what `write_features` does, and return all features in memory."""
    with TemporaryDirectory(prefix="ethereal-features-") as folder:
        write_features(canonical, Path(folder), fps=fps, frame_count=frame_count, beat=beat)
        return load_features(Path(folder))


def write_features(
    canonical: Path, directory: Path, *, fps: Fraction, frame_count: int, beat: Beat = no_beat
) -> None:
    """Measure canonical audio and write the features at the exact time of each frame, n / fps.

    Equal times give equal values at every frame rate. Frames after the end of the sound are silent. Memory is
    the same for a long sound, but for its beats and onsets; the rest waits on the disk of `directory`.
    """
    with scratch_beside(directory / "features") as scratch, open_heard(scratch) as heard:
        listen(canonical, heard, fps, frame_count, lambda part: beat(READING * part))
        accents = measure_accents(heard.growth, heard.accents)
        found = find_beats(accents, lambda part: beat(READING + (COUNTING - READING) * part))
        beats, onsets = _sounding(found, heard.growth), hear_onsets(heard.growth)
        beat(COUNTING)
        told = Told(
            names=FEATURE_NAMES,
            fps=fps,
            frame_count=frame_count,
            tempo=beats.tempo,
            beat_confidence=beats.confidence,
            beats=tuple(beats.times.tolist()),
            onsets=tuple(onsets[0].times.tolist()),
        )
        save_rows(told, _Sheets(heard, onsets, beats.times, fps).rows(frame_count), directory)
    beat(1.0)


@dataclass(frozen=True)
class _Sheets:
    """All that was measured, brought together frame by frame."""

    heard: Heard
    onsets: Sequence[Onsets]
    beats: Columns
    fps: Fraction

    def rows(self, frame_count: int) -> Iterator[NDArray[np.float32]]:
        """Yield blocks of rows in the order of FEATURE_NAMES."""
        novelty = measure_novelty(self.heard.described)[:, None]
        for start in range(0, frame_count, FRAMES_AT_ONCE):
            frames = range(start, min(start + FRAMES_AT_ONCE, frame_count))
            levels = self.heard.levels.read(frames.start, frames.stop)
            levels = np.pad(levels, ((0, len(frames) - len(levels)), (0, 0)))
            pulses = pulse_columns(self.onsets, self.beats, self.fps, frames)
            described = rows_at_frames(self.heard.described.read, CHROMA_RATE, self.fps, frames)
            new = rows_at_frames(lambda first, end: novelty[first:end], MOMENT_RATE, self.fps, frames)
            columns = np.column_stack(
                [
                    levels[:, : _PULSES.start],
                    pulses,
                    levels[:, _PULSES.start :],
                    described[:, : len(CHROMA_NAMES)],
                    new,
                ]
            )
            yield np.clip(columns, 0, 1).astype(np.float32)


def _sounding(beats: Beats, growth: Growth) -> Beats:
    """Leave out beats in silence: the chain goes on through a pause."""
    rows = np.minimum(np.rint(beats.times * GRID_RATE).astype(np.int64), len(growth) - 1)
    sounding = np.array([growth.sounds_at(row) for row in rows.tolist()], np.bool_)
    return Beats(beats.times[sounding], beats.tempo, beats.confidence)
