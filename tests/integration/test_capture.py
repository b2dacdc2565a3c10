"""Frames drawn by a real browser."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ethereal.errors import (
    RendererMismatchError,
    RenderError,
)
from ethereal.render.capture import open_chromium_renderer, probe_renderer, profile
from ethereal.render.renderer import Renderer
from tests.cards import as_picture, read_index, write_card, write_scene


@pytest.fixture(scope="module")
def renderer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Renderer]:
    with open_chromium_renderer(write_card(tmp_path_factory.mktemp("card"))) as opened:
        yield opened


def pictures(renderer: Renderer, frames: Sequence[int]) -> list[NDArray[np.uint8]]:
    return [as_picture(pixels, 160, 90) for pixels in renderer.draw(frames)]


def digests(renderer: Renderer, frames: Sequence[int]) -> list[str]:
    return [hashlib.sha256(pixels).hexdigest() for pixels in renderer.draw(frames)]


# order, orientation, equality


def test_frames_come_in_the_order_asked(renderer: Renderer) -> None:
    asked = [5, 3, 3, 99, 2**24 - 1, *range(40)]

    assert [read_index(picture) for picture in pictures(renderer, asked)] == asked


def test_nothing_asked_is_nothing_drawn(renderer: Renderer) -> None:
    assert pictures(renderer, []) == []


def test_the_bottom_row_comes_first_and_the_bar_grows_from_it(renderer: Renderer) -> None:
    (quiet, loud) = pictures(renderer, [0, 99])
    lying = [bytes(view) for view in renderer.draw([0])]

    assert lying == [quiet[::-1].tobytes()]
    assert quiet[20, 10, 1] > quiet[80, 10, 1]  # green grows upwards
    assert quiet[50, 140, 0] > quiet[50, 10, 0]  # red grows to the right
    assert (loud[-1, 80] == 255).all()
    assert (loud[30, 80] == 255).all()
    assert not (quiet[-1, 80] == 255).all()
    assert (quiet[..., 3] == 255).all()


def test_what_an_opaque_scene_writes_as_alpha_is_neither_seen_nor_taken_for_nothing(tmp_path: Path) -> None:
    see_through = "gl.clearColor(1, 0, frame / 255, 0); gl.clear(gl.COLOR_BUFFER_BIT);"
    with open_chromium_renderer(write_scene(tmp_path, draw=see_through)) as opened:
        shown = pictures(opened, range(100))

    assert [picture[7, 7, :3].tolist() for picture in shown] == [[255, 0, frame] for frame in range(100)]


def test_a_run_given_up_half_way_leaves_the_next_one_right(renderer: Renderer) -> None:
    abandoned = renderer.draw(range(1000, 1100))
    next(abandoned)

    assert [read_index(picture) for picture in pictures(renderer, range(7, 30))] == list(range(7, 30))
    with pytest.raises(RenderError, match="another run"):
        next(abandoned)


def test_a_part_drawn_alone_equals_the_part_of_the_whole_in_another_browser(
    renderer: Renderer, tmp_path: Path
) -> None:
    whole = digests(renderer, range(80))

    with open_chromium_renderer(write_card(tmp_path)) as other:
        assert digests(other, range(40, 80)) == whole[40:]
        assert digests(other, range(80)) == whole


@pytest.mark.parametrize(("width", "height"), [(202, 118), (16, 16), (50, 34)])
def test_sizes_that_no_driver_likes_have_no_padding(tmp_path: Path, width: int, height: int) -> None:
    with open_chromium_renderer(write_card(tmp_path, width, height)) as opened:
        views = [as_picture(pixels, width, height) for pixels in opened.draw(range(20, 23))]

    ramp = views[0][height // 2, :, 0].astype(int)
    assert abs(ramp[: width * 4 // 10] - (np.arange(width * 4 // 10) + 0.5) * 255 / width).max() <= 1
    if width >= 48:
        assert [read_index(view) for view in views] == [20, 21, 22]


# drivers and places


def test_swiftshader_draws_when_asked_for(tmp_path: Path) -> None:
    with open_chromium_renderer(write_card(tmp_path), gl="swiftshader") as opened:
        assert "SwiftShader" in opened.gl_renderer
        assert read_index(pictures(opened, [1234])[0]) == 1234


def test_a_driver_asked_for_and_not_there_is_refused(tmp_path: Path) -> None:
    with (
        pytest.raises(RendererMismatchError, match="asked for llvmpipe"),
        open_chromium_renderer(write_card(tmp_path), executable=without_mesa(tmp_path), gl="llvmpipe"),
    ):
        pass


def test_auto_falls_back_to_swiftshader_and_says_so(tmp_path: Path) -> None:
    executable = without_mesa(tmp_path)

    with open_chromium_renderer(write_card(tmp_path), executable=executable) as opened:
        assert "SwiftShader" in opened.gl_renderer


def without_mesa(folder: Path) -> Path:
    chromium = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    wrapper = folder / "chromium-without-mesa"
    wrapper.write_text(f'#!/bin/sh\n__EGL_VENDOR_LIBRARY_DIRS=/nonexistent exec {chromium} "$@"\n')
    wrapper.chmod(0o755)
    return wrapper


def test_an_executable_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with (
        pytest.raises(RendererMismatchError, match="no Chromium"),
        open_chromium_renderer(write_card(tmp_path), executable=tmp_path / "chromium"),
    ):
        pass


def test_without_shared_memory_the_profile_lies_in_scratch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(profile, "SHARED_MEMORY", tmp_path / "nothing")

    with open_chromium_renderer(write_card(tmp_path), scratch=scratch) as opened:
        assert len(list(scratch.iterdir())) == 1
        assert read_index(pictures(opened, [77])[0]) == 77
    assert list(scratch.iterdir()) == []


def test_the_probe_names_what_draws_here(tmp_path: Path) -> None:
    facts = probe_renderer(open_chromium_renderer, tmp_path)

    assert facts.gl_renderer
    assert "Chrome" in facts.browser_version
