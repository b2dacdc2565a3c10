"""The container that a command is asked for, and what is refused before anything is heard or written."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from ethereal.cli import cli
from ethereal.cli.container import CONTAINER_OF, choose_container
from ethereal.cli.remote import read_request
from ethereal.errors import EtherealError, FormatNotSupportedError, InvalidInputError
from ethereal.render.containers import CONTAINERS
from tests.render_fakes import write_flac


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_flac(tmp_path_factory.mktemp("song") / "song.flac", np.zeros(4800, np.float32))


def test_each_container_has_one_end_of_a_name() -> None:
    assert {f".{kind.extension}": name for name, kind in CONTAINERS.items()} == CONTAINER_OF


@pytest.mark.parametrize(
    ("named", "output", "chosen"),
    [
        (None, None, "mp4"),
        ("webm", None, "webm"),
        (None, "a/song.webm", "webm"),
        (None, "song.MOV", "mov"),
        (None, "song.zip", "png-sequence"),
        ("png-sequence", "song.zip", "png-sequence"),
        (None, "song", "mp4"),
        ("mov", "song", "mov"),
        ("mov", "song.v2", "mov"),
    ],
)
def test_a_container_is_named_or_read_from_the_output(
    named: str | None, output: str | None, chosen: str
) -> None:
    assert choose_container(named, Path(output) if output else None) == chosen


def test_a_name_that_says_another_container_is_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"mov is asked for, and song.webm is called webm"):
        choose_container("mov", Path("song.webm"))


def test_a_name_of_no_container_is_refused_with_the_choices() -> None:
    with pytest.raises(FormatNotSupportedError, match=r"gif .* there is .mp4, .mov, .webm, .zip"):
        choose_container(None, Path("song.gif"))


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["-o", "out/x.gif"], "FORMAT_NOT_SUPPORTED_IN_DISTRIBUTED"),
        (["-o", "out/x", "--container", "gif"], "FORMAT_NOT_SUPPORTED_IN_DISTRIBUTED"),
        (["-o", "out/x.mp4", "--codec", "hdr10"], "FORMAT_NOT_SUPPORTED_IN_DISTRIBUTED"),
        (["-o", "out/x.webm", "--container", "mov"], "VALIDATION_ERROR"),
        (["-o", "out/x.mp4", "--transparent"], "VALIDATION_ERROR"),
        (["-o", "out/x.webm", "--codec", "h264"], "VALIDATION_ERROR"),
        (["-o", "out/x.webm", "--quality", "best"], "VALIDATION_ERROR"),
    ],
)
def test_what_cannot_be_rendered_is_refused_before_anything_is_written(
    options: list[str], code: str, song: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    told = CliRunner().invoke(cli, ["render", str(song), *options])

    assert isinstance(told.exception, EtherealError)
    assert told.exception.code == code
    assert list(tmp_path.iterdir()) == []


def test_a_plan_of_a_gif_is_refused_before_anything_is_written(
    song: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    told = CliRunner().invoke(cli, ["plan", str(song), "out/plan", "--container", "gif"])

    assert isinstance(told.exception, FormatNotSupportedError)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_sent_when_the_output_is_called_like_no_container(song: Path) -> None:
    told = CliRunner().invoke(cli, ["submit", str(song), "-o", "x.gif", "--server", "http://127.0.0.1:9"])

    assert isinstance(told.exception, FormatNotSupportedError)


def test_a_request_says_what_was_asked_for_and_leaves_the_rest_to_the_server() -> None:
    left = {"container": None, "codec": None, "is_transparent": False, "span": None}
    asked = {"output_format": "draft-360p", **left}

    assert read_request(asked | {"fps": 30}, Path("song.mov")) == {
        "outputFormat": "draft-360p",
        "container": "mov",
        "fps": 30,
    }
    clear = asked | {"container": "webm", "codec": "vp9", "is_transparent": True, "span": (1, Fraction(5, 2))}
    assert read_request(clear, None) == {
        "outputFormat": "draft-360p",
        "container": "webm",
        "codec": "vp9",
        "background": "transparent",
        "range": {"start": 1.0, "end": 2.5},
    }
