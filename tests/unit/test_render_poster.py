"""Still pictures of a video."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ethereal.render.assemble import assemble
from ethereal.render.chunk import render_chunk
from ethereal.render.plan import make_plan
from ethereal.render.poster import make_contact_sheet, make_poster
from tests.pictures import read_jpeg
from tests.render_fakes import make_request, open_numpy, read_number


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("poster")
    make_plan(make_request(folder / "in", frame_count=101), folder / "plan", open_renderer=open_numpy)
    render_chunk(folder / "plan", 0, folder / "chunk", open_renderer=open_numpy)
    return assemble(folder / "plan", [folder / "chunk"], folder / "video.mp4").path


@pytest.mark.parametrize(("at", "frame"), [(0.0, 0), (0.5, 50), (0.99, 99), (1.0, 100)])
def test_a_poster_is_the_frame_asked_for(video: Path, tmp_path: Path, at: float, frame: int) -> None:
    picture = read_jpeg(make_poster(video, tmp_path / "poster.jpg", at))

    assert picture.shape == (96, 160, 3)
    assert read_number(picture) == frame


def test_the_colours_of_a_poster_are_those_of_the_video(video: Path, tmp_path: Path) -> None:
    picture = read_jpeg(make_poster(video, tmp_path / "poster.jpg")).astype(int)

    for channel in range(3):
        assert np.abs(picture[84, 20 + 40 * channel] - 255 * np.eye(3)[channel]).max() <= 8


def test_a_contact_sheet_shows_the_whole_video_in_reading_order(video: Path, tmp_path: Path) -> None:
    sheet = read_jpeg(make_contact_sheet(video, tmp_path / "sheet.jpg", columns=3, rows=2))

    height, width = sheet.shape[0] // 2, sheet.shape[1] // 3
    assert (width, height) == (532, 318)
    tiles = [
        sheet[row * height : (row + 1) * height, column * width : (column + 1) * width]
        for row in range(2)
        for column in range(3)
    ]
    bar = width / 16
    codes = [tile[height // 8, [int(bar * (bit + 0.5)) for bit in range(16)], 1] > 127 for tile in tiles]
    shown = [sum(1 << bit for bit, is_on in enumerate(code) if is_on) for code in codes]
    assert shown == [(2 * place + 1) * 101 // 12 for place in range(6)]


def test_a_video_of_one_frame_has_pictures_too(tmp_path: Path) -> None:
    make_plan(make_request(tmp_path / "in", frame_count=1), tmp_path / "plan", open_renderer=open_numpy)
    render_chunk(tmp_path / "plan", 0, tmp_path / "chunk", open_renderer=open_numpy)
    video = assemble(tmp_path / "plan", [tmp_path / "chunk"], tmp_path / "video.mp4").path

    assert read_number(read_jpeg(make_poster(video, tmp_path / "poster.jpg"))) == 0
    assert make_contact_sheet(video, tmp_path / "sheet.jpg").is_file()
