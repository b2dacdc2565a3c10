"""The picture of an analysis shows what was heard, where it was heard."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray

from ethereal.audio.feature_set import FEATURE_NAMES, Features
from ethereal.audio.letters import HEIGHT, WIDTH, draw_text
from ethereal.audio.peaks import make_peaks
from ethereal.audio.plot import _BEAT, _ONSET, LEFT, draw_analysis
from ethereal.audio.plot import WIDTH as PICTURE
from ethereal.cli import cli
from tests.sounds import write_beats


def features_of(seconds: float, *, beats: tuple[float, ...], onsets: tuple[float, ...]) -> Features:
    count = round(seconds * 60)
    values = np.tile(np.linspace(0, 1, count, dtype=np.float32)[:, None], (1, len(FEATURE_NAMES)))
    return Features(FEATURE_NAMES, Fraction(60), count, values, 120.0, 0.9, beats, onsets)


def columns_of(picture: NDArray[np.uint8], colour: tuple[int, int, int]) -> NDArray[np.int64]:
    """The columns in which this colour fills a part of a panel."""
    return np.flatnonzero((picture == colour).all(axis=2).sum(axis=0) > 15)


def test_beats_and_onsets_stand_at_their_times(tmp_path: Path) -> None:
    song = write_beats(tmp_path / "song.wav", 4.0, rate=8000)
    beats, onsets = (0.0, 1.0, 2.0, 3.0), (0.5, 2.5)
    drawn = draw_analysis(
        make_peaks(song)[0], features_of(4.0, beats=beats, onsets=onsets), "song.wav 0:04", tmp_path / "a.png"
    )
    with av.open(str(drawn)) as file:
        picture = next(file.decode(video=0)).to_ndarray(format="rgb24")

    wide, seconds = PICTURE - LEFT - 14, 63 * 512 / 8000  # the last pixel of the outline is not full
    for colour, times in ((_BEAT, beats), (_ONSET, onsets)):
        assert columns_of(picture, colour) == pytest.approx(
            [LEFT + time / seconds * wide for time in times], abs=1
        )
    assert picture.shape[1] == PICTURE
    assert [path.name for path in tmp_path.iterdir() if path.suffix != ".wav"] == ["a.png"]


def test_letters_are_read_as_they_are_written() -> None:
    assert draw_text("ab 1").shape == (HEIGHT, 4 * WIDTH)
    assert draw_text("é☃").shape == (HEIGHT, 0)
    letter = draw_text("T")[::2, ::2]
    assert letter[0].tolist() == [True] * 5 + [False]
    assert letter[1:, 2].all()
    assert letter.sum() == 11


def test_the_command_tells_and_draws(tmp_path: Path) -> None:
    song = write_beats(tmp_path / "song.wav", 3.0, rate=48_000)
    result = CliRunner().invoke(
        cli, ["analyze", str(song), "--plot", str(tmp_path / "a.png"), "--json"], catch_exceptions=False
    )

    told = json.loads(result.stdout)
    assert (told["seconds"], len(told["onsets"]) >= 5) == (3.0, True)
    assert (tmp_path / "a.png").read_bytes()[:4] == b"\x89PNG"
