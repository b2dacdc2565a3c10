"""The picture of an analysis shows what was heard, where it was heard."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray
from PIL import Image

from ethereal.audio.feature_set import CHROMA_NAMES, FEATURE_NAMES, Features
from ethereal.audio.panels import GROUND
from ethereal.audio.peaks import make_peaks
from ethereal.audio.plot import _BEAT, _LANE, _ONSET, LEFT, RIGHT, WIDTH, draw_analysis
from ethereal.cli import cli
from tests.sounds import write_beats

SECONDS = 63 * 512 / 8000  # of the outline below: its last pixel is not full
Picture = NDArray[np.uint8]


def features_of(
    *, beats: tuple[float, ...] = (), onsets: tuple[float, ...] = (), **columns: float
) -> Features:
    """Four seconds in which the named features have a value in the second half."""
    values = np.zeros((240, len(FEATURE_NAMES)), np.float32)
    for name, value in columns.items():
        values[120:, FEATURE_NAMES.index(name)] = value
    return Features(FEATURE_NAMES, Fraction(60), 240, values, 120.0, 0.9, beats, onsets)


def drawn(folder: Path, features: Features, title: str = "song.wav 0:04") -> Picture:
    song = write_beats(folder / "song.wav", 4.0, rate=8000)
    output = draw_analysis(make_peaks(song)[0], features, title, folder / "a.png")
    assert [path.name for path in folder.iterdir() if path.suffix != ".wav"] == ["a.png"]
    return np.asarray(Image.open(output))


def columns_of(picture: Picture, colour: tuple[int, int, int]) -> list[int]:
    """The columns in which this colour fills a part of a panel."""
    return np.flatnonzero((picture[:, LEFT:] == colour).all(axis=2).sum(axis=0) > 15).tolist()


def column_at(seconds: float) -> int:
    return int(seconds / SECONDS * (WIDTH - LEFT - RIGHT))


def test_beats_and_onsets_stand_at_their_times(tmp_path: Path) -> None:
    beats, onsets = (0.0, 1.0, 2.0, 3.0), (0.5, 2.5)
    picture = drawn(tmp_path, features_of(beats=beats, onsets=onsets))

    assert columns_of(picture, _BEAT) == [column_at(time) for time in beats]
    assert columns_of(picture, _ONSET) == [column_at(time) for time in onsets]
    assert picture.shape[1] == WIDTH


def test_a_pitch_class_lights_its_own_lane_while_it_sounds(tmp_path: Path) -> None:
    dark, lit = drawn(tmp_path, features_of()), drawn(tmp_path, features_of(chroma_a=1.0))

    rows, columns = np.nonzero((dark != lit).any(axis=2))
    assert rows.max() - rows.min() < _LANE
    assert columns.min() == pytest.approx(LEFT + column_at(2.0), abs=1)
    _, others = np.nonzero((drawn(tmp_path, features_of(chroma_c=1.0)) != dark).any(axis=2))
    assert others.min() == columns.min()
    assert len(CHROMA_NAMES) == 12


def test_a_new_section_is_marked_where_it_begins(tmp_path: Path) -> None:
    features = features_of()
    features.column("section_novelty")[:] = np.maximum(0, 0.6 - np.abs(np.arange(240) / 60 - 3.0))
    flat = drawn(tmp_path, features_of())

    picture = drawn(tmp_path, features)

    changed = (picture != flat).any(axis=2) & (picture > 200).all(axis=2)
    line = np.flatnonzero(changed.sum(axis=0) > 60)
    assert line.tolist() == [LEFT + column_at(3.0)]
    assert (flat[:, LEFT:] == GROUND).all(axis=2).any()


def test_a_long_title_in_any_script_stays_within_the_picture(tmp_path: Path) -> None:
    picture = drawn(tmp_path, features_of(), "Übung \N{EM DASH} 夜 " * 40)

    ground = picture[0, 0]
    written = np.flatnonzero((picture[:50] != ground).any(axis=(0, 2)))
    assert WIDTH * 0.8 < written.max() < WIDTH - 10


def test_the_command_tells_and_draws(tmp_path: Path) -> None:
    song = write_beats(tmp_path / "song.wav", 3.0, rate=48_000)
    result = CliRunner().invoke(
        cli, ["analyze", str(song), "--plot", str(tmp_path / "a.png"), "--json"], catch_exceptions=False
    )

    told = json.loads(result.stdout)
    assert (told["seconds"], len(told["onsets"]) >= 5) == (3.0, True)
    assert (tmp_path / "a.png").read_bytes()[:4] == b"\x89PNG"
