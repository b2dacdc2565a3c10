"""A picture of what was heard in a sound: outline, bands, onsets and beats over time, to judge them by."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ethereal.audio.bands import BANDS
from ethereal.audio.feature_set import Features
from ethereal.audio.letters import HEIGHT as LETTER
from ethereal.audio.letters import draw_text
from ethereal.audio.peaks import Peaks
from ethereal.whole import whole_file

Pixels: TypeAlias = NDArray[np.uint8]
Colour = tuple[int, int, int]

WIDTH, LEFT, TOP, GAP = 1600, 170, 40, 14
_WAVE, _CURVE, _BAND = 150, 90, 30  # heights
_GROUND, _PANEL, _GRID = (12, 13, 18), (24, 26, 34), (52, 54, 66)
_INK, _FAINT = (224, 226, 232), (96, 100, 116)
_WAVE_COLOUR, _BEAT, _ONSET = (110, 168, 254), (255, 176, 64), (120, 230, 160)
#: From silence to full level.
_HEAT = np.array([(24, 26, 34), (74, 38, 106), (190, 60, 90), (250, 150, 60), (255, 240, 190)], float)
_CURVES: Sequence[tuple[str, Sequence[tuple[str, Colour]]]] = (
    ("LOUDNESS", (("rms", (96, 120, 190)), ("loudness", (230, 232, 240)))),
    ("PITCH, WIDTH", (("width", (120, 110, 170)), ("centroid", (240, 130, 180)))),
)
_ROUND_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600)  # seconds


@dataclass(frozen=True)
class _Panel:
    """A part of the picture as high as it is asked for; its columns are moments."""

    pixels: Pixels

    @property
    def height(self) -> int:
        return len(self.pixels)

    @property
    def width(self) -> int:
        return int(self.pixels.shape[1])

    def mark(self, columns: Iterable[int], colour: Colour, top: float = 0.0) -> None:
        """Draw upright lines from `top`, a part of the height, to the bottom."""
        for column in columns:
            self.pixels[round(top * self.height) :, column] = colour

    def span(self, low: NDArray[np.float64], high: NDArray[np.float64], colour: Colour) -> None:
        """Fill each column from its low to its high, both parts of the height from the bottom."""
        rows = np.arange(self.height)[:, None]
        top = np.round((1 - high) * (self.height - 1))
        bottom = np.round((1 - low) * (self.height - 1))
        self.pixels[(rows >= top) & (rows <= bottom)] = colour


def draw_analysis(peaks: Peaks, features: Features, title: str, output: Path) -> Path:
    """Write a PNG with the outline, the loudness, the eight bands, the onsets and the beats; whole or not."""
    seconds = peaks.length * peaks.samples_per_pixel / peaks.sample_rate
    rows = [("WAVE", _wave(peaks, features, seconds))]
    rows += [(name, _curve(features, seconds, curves)) for name, curves in _CURVES]
    rows += [(band.name.replace("_", "-"), _band(features, seconds, band.name)) for band in BANDS]
    rows += [("ONSETS", _onsets(features, seconds)), ("BEATS", _beats(features, seconds))]
    with whole_file(output) as unfinished:
        unfinished.write_bytes(_png(_sheet(title, rows, seconds)))
    return output


def _wave(peaks: Peaks, features: Features, seconds: float) -> _Panel:
    panel = _empty(_WAVE)
    lows, highs = np.array(peaks.data).reshape(-1, 2).T
    at = np.linspace(0, peaks.length, panel.width + 1)
    panel.mark(_columns(features.beats, seconds, panel), (70, 58, 36))
    panel.span((_each(lows, at, np.minimum) + 1) / 2, (_each(highs, at, np.maximum) + 1) / 2, _WAVE_COLOUR)
    return panel


def _curve(features: Features, seconds: float, curves: Sequence[tuple[str, Colour]]) -> _Panel:
    panel = _empty(_CURVE)
    for name, colour in curves:
        values = _over_time(features, name, seconds, panel)
        before = np.concatenate([values[:1], values[:-1]])
        panel.span(np.minimum(before, values), np.maximum(before, values), colour)
    return panel


def _band(features: Features, seconds: float, name: str) -> _Panel:
    """The level of a band as heat."""
    panel = _empty(_BAND)
    levels = _over_time(features, name, seconds, panel)
    stops = np.linspace(0, 1, len(_HEAT))
    heat = np.stack([np.interp(levels, stops, channel) for channel in _HEAT.T], axis=1)
    panel.pixels[:] = heat.astype(np.uint8)
    return panel


def _onsets(features: Features, seconds: float) -> _Panel:
    panel = _empty(_CURVE)
    for name, colour in (("onset", (60, 110, 84)), ("onset_bass", (150, 80, 70))):
        strength = _over_time(features, name, seconds, panel)
        panel.span(np.zeros_like(strength), strength, colour)
    panel.mark(_columns(features.onsets, seconds, panel), _ONSET, top=0.75)
    return panel


def _beats(features: Features, seconds: float) -> _Panel:
    panel = _empty(_CURVE)
    phase = _over_time(features, "beat_phase", seconds, panel)
    panel.span(np.zeros_like(phase), phase * 0.6, (60, 54, 44))
    panel.mark(_columns(features.beats, seconds, panel), _BEAT)
    return panel


def _empty(height: int) -> _Panel:
    pixels = np.empty((height, WIDTH - LEFT - GAP, 3), np.uint8)
    pixels[:] = _PANEL
    return _Panel(pixels)


def _over_time(features: Features, name: str, seconds: float, panel: _Panel) -> NDArray[np.float64]:
    """The highest value of a feature in each column."""
    at = np.linspace(0, float(seconds * features.fps), panel.width + 1)
    return _each(features.column(name).astype(np.float64), at, np.maximum)


def _each(values: NDArray[np.float64], at: NDArray[np.float64], join: np.ufunc) -> NDArray[np.float64]:
    starts = np.minimum(at[:-1].astype(int), len(values) - 1)
    joined: NDArray[np.float64] = join.reduceat(values, starts)
    return joined


def _columns(times: Sequence[float], seconds: float, panel: _Panel) -> list[int]:
    return [min(int(time / seconds * panel.width), panel.width - 1) for time in times if time <= seconds]


def _sheet(title: str, rows: Sequence[tuple[str, _Panel]], seconds: float) -> Pixels:
    height = TOP + sum(panel.height + GAP for _, panel in rows) + LETTER + GAP
    sheet = np.empty((height, WIDTH, 3), np.uint8)
    sheet[:] = _GROUND
    _write(sheet, title, GAP, GAP, _INK)
    top = TOP
    for name, panel in rows:
        sheet[top : top + panel.height, LEFT : LEFT + panel.width] = panel.pixels
        _write(sheet, name, top + (panel.height - LETTER) // 2, GAP, _FAINT)
        top += panel.height + GAP
    step = next((step for step in _ROUND_STEPS if seconds / step <= 16), 1200)
    for number in range(int(seconds / step) + 1):
        column = LEFT + int(number * step / seconds * (WIDTH - LEFT - GAP - 1))
        line = sheet[TOP : top - GAP + 4, column]
        line[(line == _PANEL).all(axis=1) | (line == _GROUND).all(axis=1)] = _GRID
        _write(sheet, _clock(number * step), top, column, _FAINT)
    return sheet


def _clock(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{minutes:.0f}:{rest:02.0f}" if minutes or rest == int(rest) else f"{rest:.1f}"


def _write(sheet: Pixels, text: str, top: int, left: int, colour: Colour) -> None:
    dots = draw_text(text)[: len(sheet) - top, : sheet.shape[1] - left]
    sheet[top : top + dots.shape[0], left : left + dots.shape[1]][dots] = colour


def _png(picture: Pixels) -> bytes:
    height, width, _ = picture.shape
    rows = np.concatenate([np.zeros((height, 1), np.uint8), picture.reshape(height, -1)], axis=1)
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows.tobytes(), 9)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in parts
    )
