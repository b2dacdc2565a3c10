"""The outline of a sound at several zooms, for a page to draw: the extremes of every pixel."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ethereal.audio.container import open_sound
from ethereal.audio.read import read_sound
from ethereal.beat import Beat, no_beat
from ethereal.jobs.request import Record
from ethereal.whole import whole_file

ZOOMS = (512, 4096, 32_768)
DIGITS = 4  # of each number: finer than a screen, and the file stays small


class Peaks(Record):
    """One zoom: `data` holds the lowest and the highest sample of each pixel in turn, over both sides."""

    version: Literal[1] = 1
    sample_rate: int
    samples_per_pixel: int
    length: int
    data: tuple[float, ...]


def make_peaks(source: Path, *, zooms: Sequence[int] = ZOOMS, beat: Beat = no_beat) -> tuple[Peaks, ...]:
    """Read the sound once and return its peaks at each zoom, in samples a pixel of its own rate.

    Raise UnreadableAudioError where the file is damaged.
    """
    with open_sound(source) as sound:
        rate, promised = sound.stream.sample_rate, sound.promised
    outlines = [_Outline(zoom) for zoom in zooms]
    position, expected = 0, round((promised or 0) * rate)
    for block in read_sound(source, rate):
        lows, highs = np.minimum(*block.T), np.maximum(*block.T)
        for outline in outlines:
            outline.add(lows, highs)
        position += len(block)
        beat(min(position / expected, 1.0) if expected else 0.0)
    beat(1.0)
    return tuple(outline.peaks(rate) for outline in outlines)


def save_peaks(peaks: Sequence[Peaks], output: Path) -> None:
    """Write `{"version": 1, "zooms": [...]}`, finest first, whole or not at all."""
    zooms = [zoom.model_dump() for zoom in sorted(peaks, key=lambda zoom: zoom.samples_per_pixel)]
    with whole_file(output) as unfinished:
        unfinished.write_text(json.dumps({"version": 1, "zooms": zooms}, separators=(",", ":")))


class _Outline:
    """Gathers the pixels of one zoom."""

    def __init__(self, zoom: int) -> None:
        self._zoom = zoom
        self._pixels: list[NDArray[np.float32]] = []
        self._lows = self._highs = np.zeros(0, np.float32)

    def add(self, lows: NDArray[np.float32], highs: NDArray[np.float32]) -> None:
        lows, highs = np.concatenate([self._lows, lows]), np.concatenate([self._highs, highs])
        whole = len(lows) - len(lows) % self._zoom
        self._draw(lows[:whole], highs[:whole], self._zoom)
        self._lows, self._highs = lows[whole:], highs[whole:]

    def peaks(self, rate: int) -> Peaks:
        if len(self._lows):
            self._draw(self._lows, self._highs, len(self._lows))
        numbers = np.round(np.concatenate(self._pixels).astype(np.float64), DIGITS).ravel()
        return Peaks(
            sample_rate=rate,
            samples_per_pixel=self._zoom,
            length=len(numbers) // 2,
            data=tuple(numbers.tolist()),
        )

    def _draw(self, lows: NDArray[np.float32], highs: NDArray[np.float32], width: int) -> None:
        low, high = lows.reshape(-1, width).min(axis=1), highs.reshape(-1, width).max(axis=1)
        self._pixels.append(np.stack([low, high], axis=1))
