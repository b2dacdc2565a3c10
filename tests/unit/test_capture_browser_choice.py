"""Which browser is started, with which driver, on which files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ethereal.errors import (
    InvalidConfigError,
    InvalidInputError,
    MissingPlanArtifactError,
    RendererMismatchError,
)
from ethereal.render.capture.driver import GlChoice, drivers_for
from ethereal.render.capture.executable import find_chromium
from ethereal.render.capture.site import read_frame_size
from ethereal.scenes import scene_files, scene_names
from tests.cards import write_card

LLVMPIPE = "ANGLE (Mesa/X.org, llvmpipe (LLVM 15.0.6 256 bits), OpenGL ES 3.2)"
SWIFTSHADER = "ANGLE (Google, Vulkan 1.3.0 (SwiftShader Device (Subzero)), SwiftShader driver)"
GPU = "ANGLE (NVIDIA Corporation, NVIDIA L4/PCIe/SSE2, OpenGL ES 3.2)"


@pytest.mark.parametrize(
    ("choice", "accepted"),
    [("auto", {LLVMPIPE, GPU}), ("llvmpipe", {LLVMPIPE}), ("gpu", {GPU}), ("swiftshader", {SWIFTSHADER})],
)
def test_a_driver_draws_only_under_its_own_name(choice: GlChoice, accepted: set[str]) -> None:
    driver = drivers_for(choice)[0]

    for name in (LLVMPIPE, SWIFTSHADER, GPU, ""):
        if name in accepted:
            driver.check(name)
        else:
            with pytest.raises(RendererMismatchError):
                driver.check(name)


def test_auto_ends_with_swiftshader() -> None:
    drivers_for("auto")[-1].check(SWIFTSHADER)


def test_a_driver_there_is_not_is_refused_with_the_choices() -> None:
    with pytest.raises(InvalidInputError, match="llvmpipe, swiftshader, gpu"):
        drivers_for("metal")  # type: ignore[arg-type]


def make_file(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o755)
    return path


def test_the_chromium_given_comes_first_then_playwrights_then_one_on_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = make_file(tmp_path / "given")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    playwrights = tmp_path / "ms-playwright" / "chromium-1300" / "chrome-linux64" / "chrome"

    with pytest.raises(RendererMismatchError):
        find_chromium(None, playwrights)
    on_path = make_file(tmp_path / "bin" / "chromium")
    assert find_chromium(None, playwrights) == on_path
    assert find_chromium(None, make_file(playwrights)) == playwrights
    shell = tmp_path / "ms-playwright" / "chromium_headless_shell-1300" / "linux" / "chrome-headless-shell"
    assert find_chromium(None, playwrights) == playwrights
    assert find_chromium(None, make_file(shell).parents[2] / "chromium-1300" / "linux" / "chrome") == shell
    assert find_chromium(given, playwrights) == given


def test_the_frame_size_comes_from_the_composition(tmp_path: Path) -> None:
    assert read_frame_size(write_card(tmp_path, 202, 118)) == (202, 118)


@pytest.mark.parametrize("composition", ["{", "[]", json.dumps({"width": 10}), '{"width": "x", "height": 1}'])
def test_a_composition_that_makes_no_sense_is_refused(tmp_path: Path, composition: str) -> None:
    (write_card(tmp_path) / "composition.json").write_text(composition)

    with pytest.raises(InvalidConfigError):
        read_frame_size(tmp_path)


def test_a_composition_without_its_page_is_not_complete(tmp_path: Path) -> None:
    (write_card(tmp_path) / "composition" / "draw.html").unlink()

    with pytest.raises(MissingPlanArtifactError, match=r"draw\.html"):
        read_frame_size(tmp_path)


def test_the_files_of_a_scene_are_its_own_and_the_shared_ones() -> None:
    files = scene_files("testcard")

    own = ["testcard/reach.json", "testcard/scene.js"]
    assert list(files) == ["draw.html", "draw.js", "draw_worker.js", "runtime.js", *own]
    assert all(path.is_file() for path in files.values())
    assert "testcard" in scene_names()


@pytest.mark.parametrize("scene", ["", "nothing", "../render", "testcard/.."])
def test_a_scene_there_is_not_is_refused_with_the_choices(scene: str) -> None:
    with pytest.raises(InvalidInputError, match="testcard"):
        scene_files(scene)
