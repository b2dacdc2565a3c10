"""`--range`: a part of the sound, said alike to the local renderer and to the farm."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from click.testing import CliRunner

from ethereal.cli import cli
from ethereal.cli.span import read_span
from ethereal.errors import InvalidInputError


def test_a_range_is_exact() -> None:
    assert read_span("10:25.5") == (Fraction(10), Fraction(51, 2))
    assert read_span("0:0.1") == (Fraction(0), Fraction(1, 10))
    assert read_span(None) is None


@pytest.mark.parametrize(
    "text", ["", "5", "5:", ":5", "1:2:3", "a:b", "1/0:2", "nan:2", "2:2", "3:2", "-1:2"]
)
def test_what_is_no_range_is_refused_by_both_commands(text: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="--range"):
        read_span(text)
    song = tmp_path / "song.wav"
    song.touch()
    for command in (["render", "-o", str(tmp_path / "video.mp4")], ["submit"]):
        told = CliRunner().invoke(cli, [*command, str(song), f"--range={text}"])
        assert isinstance(told.exception, InvalidInputError)
