"""Transparent videos: each container that keeps alpha gives back what was drawn; the others refuse."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from ethereal.errors import InvalidConfigError, InvalidInputError, RenderError
from ethereal.render import join_muxed
from ethereal.render.assemble import VideoResult, assemble
from ethereal.render.canary import draw_canary
from ethereal.render.chunk import render_chunk
from ethereal.render.coded_pictures import coded_pictures
from ethereal.render.composition import Composition
from ethereal.render.containers import CONTAINERS, choose_codec, get_container
from ethereal.render.encode import EncodedGop, EncoderSettings, encode_gop
from ethereal.render.encoder_settings import encoder_document, read_settings
from ethereal.render.encoders.choice import CODECS
from ethereal.render.film import open_film
from ethereal.render.formats import QUALITIES
from ethereal.render.plan import PlanRequest, load_plan, make_plan
from ethereal.render.poster import draw_contact_sheet, make_contact_sheet, make_poster
from ethereal.render.verify import compare_gops
from tests.pictures import read_jpeg
from tests.render_fakes import FPS, draw_alpha, draw_picture, make_request, open_numpy

FRAMES = 60  # the second GOP is short


@dataclass(frozen=True)
class Case:
    """A container that keeps alpha, how its pictures are decoded, and how far alpha may be off."""

    container: str
    pixels: str
    slack: float


CASES = [
    Case("webm", "yuva420p", 3),
    Case("mov", "yuva444p12le", 0),
    Case("png-sequence", "rgba", 0),
]


def transparent(folder: Path, container: str, chunk_count: int = 1) -> PlanRequest:
    request = make_request(folder, frame_count=FRAMES, chunk_count=chunk_count)
    composition = replace(request.composition, background="transparent")
    return replace(request, composition=composition, container=container)


def render(request: PlanRequest, folder: Path) -> VideoResult:
    plan = make_plan(request, folder / "plan", open_renderer=open_numpy)
    files = [folder / chunk.name for chunk in plan.chunks]
    for index, file in enumerate(files):
        render_chunk(folder / "plan", index, file, open_renderer=open_numpy)
    return assemble(folder / "plan", files, folder / f"video.{get_container(plan.container).extension}")


@pytest.fixture(scope="module", params=CASES, ids=lambda case: case.container)
def case(request: pytest.FixtureRequest) -> Case:
    found = request.param
    assert isinstance(found, Case)
    return found


@pytest.fixture(scope="module")
def video(case: Case, tmp_path_factory: pytest.TempPathFactory) -> VideoResult:
    folder = tmp_path_factory.mktemp("video")
    return render(transparent(folder / "in", case.container), folder)


def alpha_in(picture: VideoFrame) -> NDArray[Any]:
    """In eight bits, as it is in the file and not as the scaler rounds it."""
    if picture.format.name == "rgba":
        return picture.to_ndarray()[..., 3]
    depth = picture.format.components[3].bits
    plane = np.frombuffer(memoryview(picture.planes[3]), np.uint8 if depth == 8 else np.uint16)
    return plane.reshape(picture.height, -1)[:, : picture.width] >> (depth - 8)


def test_alpha_comes_back_as_it_was_drawn(case: Case, video: VideoResult) -> None:
    with open_film(video.path) as film:
        for frame in (0, 1, 47, 48, FRAMES - 1):
            picture = film.picture(frame)
            error = alpha_in(picture).astype(float) - draw_alpha(160, 96, frame)
            assert picture.format.name == case.pixels
            assert np.abs(error).mean() <= case.slack
            assert np.abs(error[:24]).max() <= case.slack, "what is opaque stays so"


def test_colours_are_straight_where_there_is_alpha_and_where_there_is_none(video: VideoResult) -> None:
    with open_film(video.path) as film:
        colours = film.picture(20).to_ndarray(format="rgba")[..., :3].astype(float)

    assert np.abs(colours - draw_picture(160, 96, 20, 7)[..., :3]).mean() < 6


def test_two_chunks_give_the_bytes_of_one(case: Case, video: VideoResult, tmp_path: Path) -> None:
    again = render(transparent(tmp_path / "in", case.container, 2), tmp_path)

    assert (again.sha256, again.plan_hash) == (video.sha256, video.plan_hash)


def test_parts_made_again_are_compared_with_their_alpha(case: Case, video: VideoResult) -> None:
    checks = compare_gops(video.path.parent / "plan", video.path, [0, 1], open_renderer=open_numpy)

    assert all(check.is_equal for check in checks)
    with open_film(video.path) as film:
        assert sum(map(len, film.coded(range(48)))) == checks[0].size_bytes


def test_its_pictures_lie_over_dark_squares(video: VideoResult, tmp_path: Path) -> None:
    poster = read_jpeg(make_poster(video.path, tmp_path / "poster.jpg", 0.5)).astype(int)
    sheet = read_jpeg(make_contact_sheet(video.path, tmp_path / "sheet.jpg", columns=2, rows=2))

    drawn = draw_picture(160, 96, 30, 7)[..., :3].astype(int)
    assert poster[-24:].max() < 48, "nothing is there"
    assert np.abs(poster[:24] - drawn[:24]).mean() < 12, "all is there"
    assert sheet[400:476].max() < 60

    with open_numpy(video.path.parent / "plan") as renderer:
        plan = load_plan(video.path.parent / "plan")
        early = draw_contact_sheet(renderer, plan, tmp_path / "early.jpg", columns=2, rows=2)
    assert np.abs(read_jpeg(early).astype(int) - sheet).mean() < 8, "the same before anything is rendered"


def test_a_webm_that_lost_its_alpha_is_not_given_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def without_alpha(*given: Any) -> Any:
        for packet in coded_pictures(*given):
            bare = type(packet)(bytes(packet))
            bare.pts, bare.dts, bare.time_base = packet.pts, packet.dts, packet.time_base
            bare.duration, bare.is_keyframe = packet.duration, packet.is_keyframe
            yield bare

    monkeypatch.setattr(join_muxed, "coded_pictures", without_alpha)

    with pytest.raises(RenderError, match="alpha"):
        render(transparent(tmp_path / "in", "webm"), tmp_path)


def sha256_of(gop: EncodedGop) -> str:
    return hashlib.sha256(b"".join(packet.data + packet.alpha for packet in gop.packets)).hexdigest()


def clear_settings(codec: str) -> EncoderSettings:
    card = Composition("card", "testcard", 64, 32, FPS, 1, {}, "transparent")
    return read_settings(encoder_document(card, QUALITIES["standard"], CODECS[codec]))


def clear_pictures(count: int, shift: int = 0) -> list[NDArray[np.uint8]]:
    """Small pictures whose alpha alone is `shift` frames ahead."""
    pictures = [draw_picture(64, 32, frame, 7) for frame in range(count)]
    for frame, picture in enumerate(pictures):
        picture[..., 3] = draw_alpha(64, 32, frame + shift)
    return pictures


def test_the_instructions_a_cpu_has_change_no_byte_of_vp9() -> None:
    code = (
        "from tests.unit.test_render_alpha import *\n"
        "print(sha256_of(encode_gop(clear_pictures(30), clear_settings('vp9'))))"
    )
    plain = os.environ | {"VPX_SIMD_CAPS": "0"}  # what every CPU of 64 bits has, and no more
    told = subprocess.run([sys.executable, "-c", code], env=plain, check=True, capture_output=True, text=True)

    assert told.stdout.strip() == sha256_of(encode_gop(clear_pictures(30), clear_settings("vp9")))


@pytest.mark.parametrize("codec", ["vp9", "prores", "png"])
def test_rows_that_lie_in_reverse_are_turned_over_with_their_alpha(codec: str) -> None:
    upright = clear_pictures(7)
    lying = [picture[::-1].copy()[::-1] for picture in upright]

    assert encode_gop(lying, clear_settings(codec)) == encode_gop(upright, clear_settings(codec))


@pytest.mark.parametrize("codec", ["vp9", "prores", "png"])
def test_another_alpha_is_another_canary(codec: str) -> None:
    @dataclass
    class Drawn:
        pictures: list[NDArray[np.uint8]]
        gl_renderer: str = ""
        browser_version: str = ""

        def draw(self, frames: Sequence[int]) -> Iterator[memoryview]:
            return (self.pictures[frame].data.cast("B") for frame in frames)

    one, other = (
        draw_canary(Drawn(clear_pictures(4, shift)), (1, 2, 3), clear_settings(codec))[0] for shift in (0, 9)
    )

    assert one.packets != other.packets


def test_mp4_cannot_be_transparent_and_says_what_can(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="mov, webm, png-sequence") as refused:
        make_plan(transparent(tmp_path / "in", "mp4"), tmp_path / "plan", open_renderer=open_numpy)

    assert list(refused.value.details) == ["background"]
    assert not (tmp_path / "plan").exists()
    for name in ("mov", "webm", "png-sequence"):
        assert choose_codec(CONTAINERS[name], None, 64, 32, "transparent").alpha_format


def test_a_background_there_is_not_is_refused_by_field(tmp_path: Path) -> None:
    request = transparent(tmp_path / "in", "mov")
    odd = replace(request, composition=replace(request.composition, background="green"))  # type: ignore[arg-type]

    with pytest.raises(InvalidConfigError) as refused:
        make_plan(odd, tmp_path / "plan", open_renderer=open_numpy)

    assert list(refused.value.details) == ["background"]


def test_only_a_transparent_plan_and_page_name_a_background(tmp_path: Path) -> None:
    usual = make_plan(make_request(tmp_path / "in"), tmp_path / "usual", open_renderer=open_numpy)
    clear = make_plan(transparent(tmp_path / "in", "mov"), tmp_path / "clear", open_renderer=open_numpy)

    said = [
        json.loads((tmp_path / name / "composition.json").read_bytes()).get("background")
        for name in ("usual", "clear")
    ]
    assert said == [None, "transparent"]
    assert "background" not in json.loads((tmp_path / "usual" / "plan.json").read_bytes())["composition"]
    assert (usual.composition.background, clear.composition.background) == ("scene", "transparent")
    assert load_plan(tmp_path / "clear").composition == clear.composition
    assert (usual.encoder.has_alpha, clear.encoder.has_alpha) == (False, True)
