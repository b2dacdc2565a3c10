"""The features a scene can read, one row per video frame: their names and what they mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from ethereal.audio.bands import BANDS, LEVEL_RANGE_DB

PITCH_CLASSES = ("c", "c_sharp", "d", "d_sharp", "e", "f", "f_sharp", "g", "g_sharp", "a", "a_sharp", "b")
CHROMA_NAMES = tuple(f"chroma_{pitch}" for pitch in PITCH_CLASSES)

# What gives level 1: in dBFS of all the sound, and in LUFS.
FULL_LEVEL, FULL_LOUDNESS = -6.0, -6.0


@dataclass(frozen=True)
class Column:
    """What one feature means. All values lie in 0..1, and all are 0 in silence but near a new section."""

    name: str
    unit: str
    description: str


def _band_columns() -> list[Column]:
    return [
        Column(
            band.name,
            "level",
            f"{band.low:g} to {band.high:g} Hz: 1 is {band.top:g} dBFS, 0 is {LEVEL_RANGE_DB:g} dB less.",
        )
        for band in BANDS
    ]


def _envelope_columns() -> list[Column]:
    return [
        Column(
            f"{band.name}_envelope",
            "level",
            f"{band.name} that rises within {band.attack:g} s and fades within {band.release:g} s.",
        )
        for band in BANDS
    ]


def _chroma_columns() -> list[Column]:
    return [
        Column(
            name,
            "share",
            f"{pitch.replace('_sharp', ' sharp').capitalize()} in any octave: its share in all pitches.",
        )
        for name, pitch in zip(CHROMA_NAMES, PITCH_CLASSES, strict=True)
    ]


COLUMNS = (
    Column(
        "rms", "level", f"Power of all the sound: 1 is {FULL_LEVEL:g} dBFS, 0 is {LEVEL_RANGE_DB:g} dB less."
    ),
    Column(
        "loudness",
        "level",
        f"Momentary loudness: 1 is {FULL_LOUDNESS:g} LUFS, 0 is {LEVEL_RANGE_DB:g} LU less.",
    ),
    *_band_columns(),
    *_envelope_columns(),
    Column("onset", "strength", "A sound begins: its strength, fading within 0.12 s."),
    Column("onset_bass", "strength", "A sound begins below 250 Hz: its strength, fading within 0.18 s."),
    Column("onset_high", "strength", "A sound begins above 5 kHz: its strength, fading within 0.08 s."),
    Column("beat", "strength", "1 on the beat, fading within 0.2 s; 0 where there is no beat."),
    Column("beat_phase", "phase", "From 0 on a beat to 1 just before the next; 0 where there is no beat."),
    Column("centroid", "pitch", "Centre of the spectrum: 0 is 60 Hz, 1 is 12 kHz, in octaves."),
    Column("width", "ratio", "0 for mono, 1 for two sides that have nothing in common."),
    Column(
        "loudness_short_term",
        "level",
        f"Loudness over 3 s: 1 is {FULL_LOUDNESS:g} LUFS, 0 is {LEVEL_RANGE_DB:g} LU less.",
    ),
    *_chroma_columns(),
    Column(
        "section_novelty",
        "novelty",
        "How unlike the 8 s before the 8 s after are, in pitch classes and bands: highest where a section "
        "begins, 1 where nothing stays. It looks ahead.",
    ),
)
FEATURE_NAMES = tuple(column.name for column in COLUMNS)


@dataclass(frozen=True, eq=False)
class Features:
    """Per-frame numbers taken from the audio; `values` is float32 of shape (frame_count, len(names)).

    `tempo` is in beats a minute and 0 without a beat, `beats` and `onsets` are in seconds.
    """

    names: tuple[str, ...]
    fps: Fraction
    frame_count: int
    values: NDArray[np.float32]
    tempo: float
    beat_confidence: float
    beats: tuple[float, ...] = ()
    onsets: tuple[float, ...] = ()
    columns: Mapping[str, int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.values.shape != (self.frame_count, len(self.names)):
            raise ValueError(f"{self.values.shape} values do not fit {self.frame_count} frames")
        object.__setattr__(self, "columns", {name: index for index, name in enumerate(self.names)})

    def column(self, name: str) -> NDArray[np.float32]:
        """Return one feature over all frames."""
        return self.values[:, self.columns[name]]
