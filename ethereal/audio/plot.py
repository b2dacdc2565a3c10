"""A picture of what was heard in a sound, to judge it by: outline, levels, pitches, sections and beats."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ethereal.audio.bands import BANDS
from ethereal.audio.feature_set import CHROMA_NAMES, PITCH_CLASSES, Features
from ethereal.audio.panels import Colour, Panel, Values, empty_panel, per_column, summits
from ethereal.audio.peaks import Peaks
from ethereal.whole import whole_file

WIDTH, LEFT, RIGHT, TOP, GAP = 1600, 150, 24, 58, 12
_PANEL_WIDTH = WIDTH - LEFT - RIGHT
_TITLE, _NAME, _SMALL = 20, 15, 12  # letters, in pixels
_WAVE, _CURVE, _LANE = 140, 84, 15  # heights; a lane is one band or pitch class
_SHEET, _INK, _FAINT, _GRID = (12, 13, 18), (226, 228, 234), (142, 147, 164), (50, 53, 66)
_BLUE, _WHITE, _PINK, _VIOLET = (110, 168, 254), (232, 234, 242), (240, 130, 180), (134, 124, 190)
_BEAT, _BEAT_DIM, _ONSET, _BASS, _SECTION = (
    (255, 176, 64),
    (78, 62, 34),
    (120, 230, 160),
    (214, 108, 92),
    (90, 200, 220),
)
_ROUND_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600)  # seconds between two times
_CLEAR_SECTION, _SECTIONS_APART = 0.3, 6.0  # novelty; seconds


@dataclass(frozen=True)
class _Row:
    """A panel with its name, what is drawn in which colour, its lanes from the top, and words at seconds."""

    name: str
    panel: Panel
    legend: Sequence[tuple[str, Colour]] = ()
    lanes: Sequence[str] = ()
    marks: Sequence[tuple[float, str]] = field(default=())


def draw_analysis(peaks: Peaks, features: Features, title: str, output: Path) -> Path:
    """Write a PNG of everything that was heard; whole or not at all."""
    seconds = peaks.length * peaks.samples_per_pixel / peaks.sample_rate
    rows = [
        _wave(peaks, features, seconds),
        _loudness(features, seconds),
        _lanes("Bands", [band.name for band in BANDS], features, seconds),
        _colour(features, seconds),
        _lanes("Pitches", CHROMA_NAMES, features, seconds, lit=2.5),
        _sections(features, seconds),
        _onsets(features, seconds),
        _beats(features, seconds),
    ]
    with whole_file(output) as unfinished:
        _sheet(title, rows, seconds).save(unfinished, "PNG", optimize=True)
    return output


def _wave(peaks: Peaks, features: Features, seconds: float) -> _Row:
    panel = _empty(_WAVE, seconds)
    lows, highs = np.array(peaks.data).reshape(-1, 2).T
    at = np.linspace(0, peaks.length, panel.width + 1)
    panel.mark(features.beats, _BEAT_DIM)
    panel.span((per_column(lows, at, np.minimum) + 1) / 2, (per_column(highs, at, np.maximum) + 1) / 2, _BLUE)
    return _Row("Wave", panel, [("outline", _BLUE), ("beats behind", _BEAT)])


def _loudness(features: Features, seconds: float) -> _Row:
    panel = _empty(_CURVE, seconds)
    panel.fill(panel.over_time(features, "rms"), (44, 62, 108))
    panel.curve(panel.over_time(features, "loudness"), _BLUE)
    panel.curve(panel.over_time(features, "loudness_short_term"), _WHITE)
    return _Row("Loudness", panel, [("rms", (92, 120, 186)), ("momentary", _BLUE), ("short-term", _WHITE)])


def _colour(features: Features, seconds: float) -> _Row:
    panel = _empty(_CURVE, seconds)
    panel.curve(panel.over_time(features, "width"), _VIOLET)
    panel.curve(panel.over_time(features, "centroid"), _PINK)
    return _Row("Colour", panel, [("centroid", _PINK), ("stereo width", _VIOLET)])


def _lanes(name: str, columns: Sequence[str], features: Features, seconds: float, lit: float = 1.0) -> _Row:
    """Features as heat, the first one lowest; `lit` times a value is what shines."""
    panel = _empty(_LANE * len(columns), seconds)
    for lane, column in enumerate(reversed(columns)):
        levels = np.minimum(panel.over_time(features, column) * lit, 1.0)
        panel.heat(levels, lane * _LANE, (lane + 1) * _LANE - 1)
    return _Row(name, panel, lanes=[_spoken(column) for column in reversed(columns)])


def _sections(features: Features, seconds: float) -> _Row:
    panel = _empty(_CURVE, seconds)
    novelty = panel.over_time(features, "section_novelty")
    panel.fill(novelty, (34, 76, 88))
    panel.curve(novelty, _SECTION)
    values, rate = features.column("section_novelty"), float(features.fps)
    found = summits(values.astype(np.float64), least=_CLEAR_SECTION, apart=round(_SECTIONS_APART * rate))
    times = [index / rate for index in found]
    panel.mark(times, _INK)
    return _Row(
        "Sections", panel, [("novelty", _SECTION)], marks=[(time, _clock(time, 1.0)) for time in times]
    )


def _onsets(features: Features, seconds: float) -> _Row:
    panel = _empty(_CURVE, seconds)
    panel.fill(panel.over_time(features, "onset"), (52, 96, 74))
    panel.fill(panel.over_time(features, "onset_bass") * 0.5, _BASS)
    panel.mark(features.onsets, _ONSET, bottom=0.8)
    return _Row(
        "Onsets", panel, [("times", _ONSET), ("strength", (82, 148, 112)), ("bass, half as high", _BASS)]
    )


def _beats(features: Features, seconds: float) -> _Row:
    panel = _empty(_CURVE, seconds)
    panel.fill(panel.over_time(features, "beat_phase") * 0.7, (64, 58, 46))
    panel.mark(features.beats, _BEAT)
    return _Row("Beats", panel, [("times", _BEAT), ("phase", (132, 118, 88))])


def _empty(height: int, seconds: float) -> Panel:
    return empty_panel(height, _PANEL_WIDTH, seconds)


def _spoken(column: str) -> str:
    pitch = column.removeprefix("chroma_")
    if pitch in PITCH_CLASSES:
        return pitch.replace("_sharp", "#").capitalize()
    return column.replace("_", "-")


def _sheet(title: str, rows: Sequence[_Row], seconds: float) -> Image.Image:
    height = TOP + sum(row.panel.height + GAP for row in rows) + _NAME + GAP
    sheet = Image.new("RGB", (WIDTH, height), _SHEET)
    pen = ImageDraw.Draw(sheet)
    pen.text((GAP + 4, TOP / 2), _fitting(title), _INK, _font(_TITLE), anchor="lm")
    top = TOP
    for row in rows:
        _draw_times(row.panel, seconds)
        sheet.paste(Image.fromarray(row.panel.pixels), (LEFT, top))
        _write_beside(pen, row, top)
        top += row.panel.height + GAP
    for time in _times(seconds):
        place = LEFT + time / seconds * (_PANEL_WIDTH - 1)
        pen.text((place, top - GAP + 6), _clock(time, _step(seconds)), _FAINT, _font(_SMALL), anchor="ma")
    return sheet


def _draw_times(panel: Panel, seconds: float) -> None:
    """Draw a line at each round time, behind what is there."""
    empty = empty_panel(1, 1, seconds).pixels[0, 0]
    for time in _times(seconds):
        line = panel.pixels[:, panel.column(time)]
        line[(line == empty).all(axis=1)] = _GRID


def _write_beside(pen: ImageDraw.ImageDraw, row: _Row, top: int) -> None:
    pen.text((GAP + 4, top), row.name, _INK, _font(_NAME))
    for number, (name, colour) in enumerate(row.legend):
        pen.text((GAP + 4, top + _NAME + 8 + number * (_SMALL + 5)), name, colour, _font(_SMALL))
    for number, name in enumerate(row.lanes):
        middle = top + (number + 0.5) * _LANE
        pen.text((LEFT - 8, middle), name, _FAINT, _font(_SMALL), anchor="rm")
    for time, word in row.marks:
        place = LEFT + row.panel.column(time)
        right = place > WIDTH - RIGHT - 60
        pen.text(
            (place - 5 if right else place + 5, top + 4),
            word,
            _INK,
            _font(_SMALL),
            anchor="ra" if right else "la",
        )


def _step(seconds: float) -> float:
    return next((step for step in _ROUND_STEPS if seconds / step <= 16), 1200.0)


def _times(seconds: float) -> Values:
    return np.arange(int(seconds / _step(seconds)) + 1, dtype=np.float64) * _step(seconds)


def _clock(seconds: float, step: float) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{minutes:.0f}:{rest:02.0f}" if step >= 1 else f"{minutes:.0f}:{rest:04.1f}"


def _fitting(title: str) -> str:
    """Write a title with the letters that the font has, shortened where it would run out of the picture."""
    title = unicodedata.normalize("NFKD", title).replace("\N{EM DASH}", "-").replace("\N{EN DASH}", "-")
    plain = "".join(letter for letter in title if not unicodedata.combining(letter))
    title = plain.encode("ascii", "replace").decode()
    room = WIDTH - 2 * GAP - RIGHT
    while _font(_TITLE).getlength(title) > room:
        title = title[:-5].rstrip() + " ..."
    return title


def _font(size: int) -> ImageFont.FreeTypeFont:
    """The font that comes with Pillow, so that the picture is the same on every machine."""
    return cast(ImageFont.FreeTypeFont, ImageFont.load_default(size))
