"""Light with nothing behind it, from the scene in a real browser to the alpha in a finished file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import av
import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray

from ethereal.cli import cli
from ethereal.errors import SceneFailedError
from ethereal.render.assemble import VideoResult, assemble
from ethereal.render.capture import open_chromium_renderer
from ethereal.render.chunk import render_chunk
from ethereal.render.containers import get_container
from ethereal.render.film import open_film
from ethereal.render.pixels import pixels_of
from ethereal.render.plan import PlanRequest, make_plan
from ethereal.render.warm import WarmRenderer
from tests.render_fakes import make_request

WIDTH, HEIGHT = 160, 90
FRAMES = 50  # two frames more than a GOP
SECONDS = Fraction(FRAMES, 24)
CONTAINERS = ("webm", "mov", "png-sequence")


def flame_request(folder: Path, container: str, **composition: Any) -> PlanRequest:
    tone = (0.4 * np.sin(np.arange(round(SECONDS * 48_000)) / 20)).astype(np.float32)
    request = make_request(folder, frame_count=FRAMES, samples=tone, size=(WIDTH, HEIGHT))
    flame = replace(request.composition, scene="flame", parameters={}, **composition)
    return replace(request, composition=flame, container=container)


@dataclass(frozen=True)
class Rendered:
    """The same request as one chunk and as two; the plan is that of two."""

    one: VideoResult
    two: VideoResult
    plan_dir: Path


def render(request: PlanRequest, folder: Path) -> Rendered:
    videos = []
    for count in (1, 2):
        plan_dir = folder / f"plan-{count}"
        with WarmRenderer(open_chromium_renderer) as warm:
            plan = warm.make_plan(replace(request, chunk_count=count), plan_dir)
            files = [folder / f"{count}-{chunk.name}" for chunk in plan.chunks]
            for index, file in enumerate(files):
                render_chunk(plan_dir, index, file, open_renderer=warm)
        extension = get_container(plan.container).extension
        videos.append(assemble(plan_dir, files, folder / f"video-{count}.{extension}"))
    return Rendered(*videos, plan_dir)


@pytest.fixture(scope="module", params=CONTAINERS)
def rendered(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Rendered:
    folder = tmp_path_factory.mktemp("transparent")
    return render(flame_request(folder / "in", request.param, background="transparent"), folder)


def pictures_of(video: Path) -> list[NDArray[Any]]:
    with open_film(video) as film:
        return [film.picture(frame).to_ndarray(format="rgba") for frame in (0, 24, FRAMES - 1)]


def heard_in(video: Path) -> Fraction:
    """The length of the sound, in seconds."""
    if video.suffix == ".zip":
        with ZipFile(video) as archive, archive.open("audio.wav") as file, av.open(file) as wave:
            return Fraction(sum(frame.samples for frame in wave.decode(audio=0)), 48_000)
    with av.open(str(video)) as container:
        return Fraction(sum(frame.samples for frame in container.decode(audio=0)), 48_000)


def test_one_chunk_and_two_are_one_file(rendered: Rendered) -> None:
    assert (rendered.one.sha256, rendered.one.plan_hash) == (rendered.two.sha256, rendered.two.plan_hash)


def test_the_flame_stands_in_nothing(rendered: Rendered) -> None:
    for picture in pictures_of(rendered.two.path):
        alpha = picture[..., 3]
        assert alpha[:, [0, -1]].max() <= 4
        assert alpha[-1].max() <= 4
        assert alpha.max() > 200
        assert 0.2 < ((alpha > 4) & (alpha < 250)).mean() < 0.9


def test_colours_are_not_darkened_by_alpha(rendered: Rendered) -> None:
    for picture in pictures_of(rendered.two.path):
        faint = (picture[..., 3] > 20) & (picture[..., 3] < 120)
        assert picture[faint][:, :3].max(axis=1).mean() > 225


def test_the_sound_is_as_long_as_the_picture(rendered: Rendered) -> None:
    assert abs(heard_in(rendered.two.path) - SECONDS) <= Fraction(1, 48)


def test_verify_makes_it_again_with_its_alpha_and_hears_its_sound(rendered: Rendered) -> None:
    asked = ["verify", str(rendered.one.path), "--plan", str(rendered.plan_dir)]
    told = CliRunner().invoke(cli, asked)

    assert told.exit_code == 0, told.output
    assert "2 GOPs made again, 0 differ; the sound is equal" in told.output


def test_verify_hears_a_changed_bit_of_the_sound(rendered: Rendered, tmp_path: Path) -> None:
    content = bytearray(rendered.one.path.read_bytes())
    content[place_of_sound(rendered.one.path)] ^= 1
    changed = tmp_path / rendered.one.path.name
    changed.write_bytes(content)

    asked = ["verify", str(changed), "--plan", str(rendered.plan_dir), "--gops", "1"]
    told = CliRunner().invoke(cli, asked)

    assert told.exit_code == 1, told.output
    assert "1 GOPs made again, 0 differ; the sound differs" in told.output


def place_of_sound(video: Path) -> int:
    """Where a byte in the midst of the coded sound lies."""
    if video.suffix == ".zip":
        with ZipFile(video) as archive:
            entry = archive.getinfo("audio.wav")
            return entry.header_offset + entry.file_size // 2
    with av.open(str(video)) as container:
        packet = list(container.demux(container.streams.audio[0]))[20]
        return (packet.pos or 0) + packet.size // 2


def test_a_scene_that_draws_all_of_its_picture_is_refused(tmp_path: Path) -> None:
    request = flame_request(tmp_path / "in", "mov", background="transparent")
    request = replace(request, composition=replace(request.composition, scene="bench_light"))

    with pytest.raises(SceneFailedError, match="bench_light cannot be transparent"):
        make_plan(request, tmp_path / "plan", open_renderer=open_chromium_renderer)

    assert not (tmp_path / "plan").exists()


def test_over_black_the_flame_is_as_bright_as_before_its_sky(tmp_path: Path) -> None:
    with WarmRenderer(open_chromium_renderer) as warm:
        drawn = []
        for background in ("scene", "transparent"):
            request = flame_request(tmp_path / background, "mov", background=background)
            warm.make_plan(request, tmp_path / f"plan-{background}")
            with warm(tmp_path / f"plan-{background}") as renderer:
                [view] = renderer.draw([30])
                drawn.append(pixels_of(view, WIDTH, HEIGHT).astype(float))
    before_sky, alone = drawn
    over_black = alone[..., :3] * alone[..., 3:] / 255
    heart = over_black.max(axis=2) > 160

    assert heart.sum() > 50
    red = np.abs(over_black - before_sky[..., :3])[heart][:, 0]
    assert np.median(red) < 8, "but for its foot, which stands in the water there"
    assert (before_sky[..., 3] == 255).all()
