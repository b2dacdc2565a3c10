"""One pass over canonical audio: what is measured of it goes to disk, row after row."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from ethereal.audio.accents import WIDTH as ACCENTS_WIDTH
from ethereal.audio.bands import BANDS, level
from ethereal.audio.chroma import CHROMA_RATE, measure_chroma
from ethereal.audio.colour import audibility, measure_centroid, measure_width
from ethereal.audio.energy import LEFT, RIGHT, WEIGHTED, EnergyMeter, averaged, averaged_evenly
from ethereal.audio.envelope import Follower
from ethereal.audio.feature_set import FULL_LEVEL, FULL_LOUDNESS
from ethereal.audio.flux import measure_level_flux, measure_swell_flux
from ethereal.audio.grid import BLOCK_ROWS, GRID_RATE, MARGIN, Columns, FrameReader, read_stretches
from ethereal.audio.growth import WIDTH as GROWTH_WIDTH
from ethereal.audio.growth import Growth
from ethereal.audio.meter import OFFSET
from ethereal.audio.passages import Passage, in_passages
from ethereal.audio.probe import probe_audio
from ethereal.audio.row_file import RowFile, open_row_file
from ethereal.audio.sections import WIDTH as DESCRIBED_WIDTH
from ethereal.audio.sections import describe_sound
from ethereal.audio.spectrum import Power, band_powers, decimated, measure_spectrum
from ethereal.beat import Beat

RMS_STEPS = 10  # 50 ms
MOMENTARY_STEPS, SHORT_TERM_STEPS = 80, 600  # 400 ms as in ITU-R BS.1770, and 3 s as in EBU Tech 3341
BAND_ROWS = 9  # a Hann window of 45 ms, so that no sound falls between two frames
LEVELS_WIDTH = 2 + 2 * len(BANDS) + 3  # rms, loudness, bands, envelopes, centroid, width, slow loudness
_LOUDNESS = 1


@dataclass(frozen=True)
class Heard:
    """What is kept of a sound, on disk: `levels` per frame, `growth` and `accents` per row of the grid.

    `described` has CHROMA_RATE rows a second: pitch classes and levels of bands.
    """

    levels: RowFile
    growth: Growth
    described: RowFile
    accents: RowFile


@contextmanager
def open_heard(scratch: Path) -> Iterator[Heard]:
    """Make the files in `scratch`; they go with the block."""
    with ExitStack() as files:

        def keep(name: str, width: int) -> RowFile:
            return files.enter_context(open_row_file(scratch / name, width))

        yield Heard(
            levels=keep("levels", LEVELS_WIDTH),
            growth=Growth(keep("growth", GROWTH_WIDTH)),
            described=keep("described", DESCRIBED_WIDTH),
            accents=keep("accents", ACCENTS_WIDTH),
        )


def listen(canonical: Path, heard: Heard, fps: Fraction, frame_count: int, beat: Beat) -> None:
    """Read the sound once and measure it passage by passage."""
    reader, levels = FrameReader(fps, frame_count), _Levels()
    for passage in in_passages(_read(canonical, heard.described, beat)):
        columns = levels.measure(passage)
        heard.levels.append(reader.hear(columns))
        flux, swell = measure_level_flux(passage.power), measure_swell_flux(passage.power)
        heard.growth.append(flux, swell, columns[:, _LOUDNESS] > 0, passage.own)
    heard.levels.append(reader.hear(np.zeros((2, LEVELS_WIDTH))))


def _read(canonical: Path, described: RowFile, beat: Beat) -> Iterator[tuple[Power, Columns]]:
    """Yield stretch after stretch its narrow bands per row and its energy per step; describe it meanwhile."""
    duration = probe_audio(canonical).duration
    expected, sounding = float(duration) * GRID_RATE, -int(-duration * CHROMA_RATE // 1)
    meter = EnergyMeter()
    for number, stretch in enumerate(read_stretches(canonical), start=1):
        lows = decimated(stretch)
        power = measure_spectrum(stretch, lows)
        described.append(describe_sound(measure_chroma(lows), power)[: sounding - len(described)])
        yield power, meter.measure(stretch[:, MARGIN:-MARGIN])
        beat(min(number * BLOCK_ROWS / expected, 1.0))


class _Levels:
    """Measures what is read from the grid: rms, loudness, bands, their envelopes, centroid and width."""

    def __init__(self) -> None:
        self._followers = [Follower(attack=band.attack, release=band.release) for band in BANDS]

    def measure(self, passage: Passage) -> Columns:
        """Return LEVELS_WIDTH columns of the passage's own rows."""
        power, steps, own = passage.power, passage.steps, passage.own
        rms = level(averaged((steps[:, LEFT] + steps[:, RIGHT]) / 2, RMS_STEPS), FULL_LEVEL)
        bands = averaged(band_powers(power), BAND_ROWS)[own]
        levels = [level(bands[:, index], band.top) for index, band in enumerate(BANDS)]
        envelopes = [follower.hear(column) for follower, column in zip(self._followers, levels, strict=True)]
        audible = audibility(rms)
        return np.column_stack(
            [
                rms[own],
                _loudness(steps, MOMENTARY_STEPS)[own],
                *levels,
                *envelopes,
                measure_centroid(power, audible)[own],
                measure_width(steps, audible)[own],
                _loudness(steps, SHORT_TERM_STEPS)[own],
            ]
        )


def _loudness(steps: Columns, count: int) -> Columns:
    return level(averaged_evenly(steps[:, WEIGHTED], count) * 10 ** (OFFSET / 10), FULL_LOUDNESS)
