"""Every container: the same bytes however dealt out, whole, as drawn, in step, and named as what it is."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from ethereal.errors import FormatNotSupportedError, InvalidInputError, RenderError
from ethereal.render import join_muxed, join_zip
from ethereal.render.assemble import VideoResult, assemble
from ethereal.render.chunk import render_chunk
from ethereal.render.coded_pictures import coded_pictures
from ethereal.render.composition import Composition
from ethereal.render.containers import CONTAINERS, choose_codec, get_container
from ethereal.render.encode import encode_gop
from ethereal.render.encoder_settings import encoder_document, read_settings
from ethereal.render.encoders.choice import CODECS
from ethereal.render.film import open_film
from ethereal.render.formats import QUALITIES
from ethereal.render.plan import PlanRequest, make_plan
from ethereal.render.plan_comment import read_plan_hash
from ethereal.render.poster import make_contact_sheet, make_poster
from ethereal.render.verify import compare_gops
from tests.render_fakes import FPS, draw_picture, make_request, open_numpy, read_number

FRAMES = 230  # the last GOP is short
SECONDS = FRAMES / 24


@dataclass(frozen=True)
class Case:
    """A container with a codec in it, and how near its pictures come at draft quality, in dB."""

    container: str
    codec: str
    least_psnr: float


CASES = [
    Case("mp4", "hevc", 27),
    Case("webm", "vp9", 27),
    Case("mov", "prores", 38),
    Case("png-sequence", "png", 99),
]


def click_at(second: float) -> NDArray[np.float32]:
    samples = (0.01 * np.sin(np.arange(round(SECONDS * 48_000)) / 20)).astype(np.float32)
    samples[round(second * 48_000)] = 0.9
    return samples


def render(request: PlanRequest, folder: Path) -> VideoResult:
    plan = make_plan(request, folder / "plan", open_renderer=open_numpy)
    files = [folder / chunk.name for chunk in plan.chunks]
    for index, file in enumerate(files):
        render_chunk(folder / "plan", index, file, open_renderer=open_numpy)
    return assemble(folder / "plan", files, folder / f"video.{get_container(plan.container).extension}")


@pytest.fixture(scope="module", params=CASES, ids=lambda case: f"{case.container}-{case.codec}")
def case(request: pytest.FixtureRequest) -> Case:
    found = request.param
    assert isinstance(found, Case)
    return found


@pytest.fixture(scope="module")
def wanted(case: Case, tmp_path_factory: pytest.TempPathFactory) -> PlanRequest:
    request = make_request(tmp_path_factory.mktemp("in"), frame_count=FRAMES, samples=click_at(4.25))
    return replace(request, container=case.container, codec=case.codec)


@pytest.fixture(scope="module")
def video(wanted: PlanRequest, tmp_path_factory: pytest.TempPathFactory) -> VideoResult:
    return render(wanted, tmp_path_factory.mktemp("video"))


def psnr(one: NDArray[Any], two: NDArray[Any]) -> float:
    error = np.mean((one.astype(float) - two.astype(float)) ** 2)
    return float(10 * np.log10(255**2 / error)) if error else 100.0


def left_of(frame: av.AudioFrame) -> NDArray[Any]:
    left: NDArray[Any] = frame.to_ndarray().reshape(-1, frame.samples, order="F")[0]
    return left


@pytest.mark.parametrize("chunk_count", [1, 2, 5])
def test_any_number_of_chunks_gives_the_same_bytes(
    wanted: PlanRequest, video: VideoResult, tmp_path: Path, chunk_count: int
) -> None:
    again = render(replace(wanted, chunk_count=chunk_count), tmp_path)

    assert (again.sha256, again.plan_hash) == (video.sha256, video.plan_hash)
    assert again.sha256 == hashlib.sha256(video.path.read_bytes()).hexdigest()


def test_every_frame_is_there_in_order_and_looks_as_drawn(case: Case, video: VideoResult) -> None:
    with open_film(video.path) as film:
        assert (film.frame_count, film.width, film.height) == (FRAMES, 160, 96)
        for frame in (0, 1, 47, 48, 49, 130, FRAMES - 1):
            picture = film.picture(frame).to_ndarray(format="rgb24")
            assert read_number(picture) == frame
            assert psnr(picture, draw_picture(160, 96, frame, 7)[..., :3]) > case.least_psnr


def test_it_names_its_plan_and_no_library_and_no_date(video: VideoResult) -> None:
    assert read_plan_hash(video.path) == video.plan_hash
    content = video.path.read_bytes()
    for name in (b"x265", b"Lavc", b"libvpx", b"DateUTC"):
        assert name not in content


def test_parts_made_again_equal_those_in_the_file(
    wanted: PlanRequest, video: VideoResult, tmp_path: Path
) -> None:
    checks = compare_gops(video.path.parent / "plan", video.path, [0, 2, 4], open_renderer=open_numpy)

    assert [(check.gop, check.is_equal) for check in checks] == [(0, True), (2, True), (4, True)]
    assert all(check.size_bytes > 0 for check in checks)


def test_it_has_a_poster_and_a_contact_sheet(video: VideoResult, tmp_path: Path) -> None:
    poster = make_poster(video.path, tmp_path / "poster.jpg")
    sheet = make_contact_sheet(video.path, tmp_path / "contact.jpg")

    with av.open(str(poster)) as picture:
        shown = next(picture.decode(video=0)).to_ndarray(format="rgb24")
    assert read_number(shown) == round(0.4 * (FRAMES - 1))
    assert sheet.stat().st_size > 1000


@pytest.mark.parametrize("case", CASES[:3], indirect=True, ids=lambda case: case.container)
def test_a_click_is_heard_within_a_millisecond_of_where_it_was(case: Case, video: VideoResult) -> None:
    with av.open(str(video.path)) as container:
        frames = list(container.decode(audio=0))
        heard = np.concatenate([left_of(frame) for frame in frames])
        start = frames[0].pts * frames[0].time_base  # type: ignore[operator]
        rate = frames[0].sample_rate

    place = int(np.abs(heard.astype(float)).argmax())
    assert rate == 48_000
    assert abs(place / 48_000 + float(start) - 4.25) < 0.001
    assert abs(len(heard) / 48_000 + float(start) - SECONDS) < 0.021


def test_hevc_is_tagged_so_that_apple_plays_it(tmp_path: Path) -> None:
    video = render(replace(make_request(tmp_path / "in", frame_count=50), codec="hevc"), tmp_path)

    with av.open(str(video.path)) as container:
        codec = container.streams.video[0].codec_context
        assert (codec.name, codec.codec_tag, codec.pix_fmt) == ("hevc", "hvc1", "yuv420p")
        assert (codec.color_range, codec.colorspace, codec.color_primaries, codec.color_trc) == (1, 1, 1, 1)


def test_prores_is_4444_in_ten_bits_with_sound_as_it_was(tmp_path: Path) -> None:
    request = make_request(tmp_path / "in", frame_count=5, samples=click_at(4)[: 5 * 2000])
    video = render(replace(request, container="mov"), tmp_path)

    with av.open(str(video.path)) as container:
        codec = container.streams.video[0].codec_context
        assert (codec.name, codec.codec_tag, codec.pix_fmt) == ("prores", "ap4h", "yuv444p12le"), (
            "FFmpeg reads all 4444 as 12 bits"
        )
        assert container.streams.audio[0].codec_context.name == "pcm_s24le"


def test_a_picture_sequence_is_the_pixels_as_drawn_and_a_wave_file(tmp_path: Path) -> None:
    request = make_request(tmp_path / "in", frame_count=50, samples=click_at(1)[: 50 * 2000])
    video = render(replace(request, container="png-sequence"), tmp_path)

    with ZipFile(video.path) as archive, archive.open("audio.wav") as sound:
        names = archive.namelist()
        with av.open(sound, "r") as container:
            samples = sum(frame.samples for frame in container.decode(audio=0))
    assert names == [*(f"frame_{frame:06}.png" for frame in range(50)), "audio.wav"]
    assert samples == 100_000
    with open_film(video.path) as film:
        for frame in range(50):
            drawn = draw_picture(160, 96, frame, 7)[..., :3]
            np.testing.assert_array_equal(film.picture(frame).to_ndarray(format="rgb24"), drawn)


@pytest.mark.parametrize("fps", [Fraction(30000, 1001), Fraction(60)])
@pytest.mark.parametrize("frame_count", [1, 2, 121])
@pytest.mark.parametrize("container", ["mp4", "webm", "mov", "png-sequence"])
def test_every_length_comes_out(container: str, fps: Fraction, frame_count: int, tmp_path: Path) -> None:
    samples = click_at(0)[: round(frame_count / fps * 48_000)]
    request = make_request(
        tmp_path / "in", frame_count=frame_count, fps=fps, samples=samples, size=(64, 32), quality="standard"
    )
    codec = "hevc" if container == "mp4" else None

    video = render(replace(request, container=container, codec=codec), tmp_path)

    with open_film(video.path) as film:
        assert film.frame_count == frame_count
        film.picture(frame_count - 1)


@pytest.mark.parametrize("quality", QUALITIES)
@pytest.mark.parametrize("container", CONTAINERS)
def test_every_quality_is_of_use_without_sound(container: str, quality: str, tmp_path: Path) -> None:
    request = make_request(tmp_path / "in", frame_count=3, quality=quality, size=(64, 32))

    assert render(replace(request, container=container), tmp_path).frames == 3


@pytest.mark.parametrize(
    ("size", "codec"), [((1920, 1080), "h264"), ((3840, 2160), "hevc"), ((2160, 3840), "hevc")]
)
def test_large_pictures_are_hevc_unless_another_is_wanted(size: tuple[int, int], codec: str) -> None:
    mp4 = get_container("mp4")

    assert choose_codec(mp4, None, *size).name == codec
    assert choose_codec(mp4, "h264", *size).name == "h264"
    assert choose_codec(get_container("webm"), None, *size).name == "vp9"


@pytest.mark.parametrize(
    ("asked", "choices"),
    [
        ({"container": "gif"}, "mp4, mov, webm"),
        ({"container": "hdr"}, "mp4, mov, webm"),
        ({"codec": "hdr10"}, "h264, h264-nvenc, hevc"),
        ({"container": "webm", "codec": "av1-hdr"}, "vp9"),
    ],
)
def test_what_cannot_be_made_in_chunks_is_refused_before_anything_is_written(
    asked: dict[str, str], choices: str, tmp_path: Path
) -> None:
    request = replace(make_request(tmp_path / "in"), **asked)  # type: ignore[arg-type]

    with pytest.raises(FormatNotSupportedError, match=choices):
        make_plan(request, tmp_path / "plan", open_renderer=open_numpy)

    assert not (tmp_path / "plan").exists()


def test_a_codec_that_the_container_cannot_hold_is_refused_by_field(tmp_path: Path) -> None:
    request = replace(make_request(tmp_path / "in"), container="webm", codec="h264")

    with pytest.raises(InvalidInputError) as refused:
        make_plan(request, tmp_path / "plan", open_renderer=open_numpy)

    assert list(refused.value.details) == ["codec"]


def test_a_video_that_lacks_a_frame_is_not_given_out(
    wanted: PlanRequest, video: VideoResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan_dir = video.path.parent / "plan"
    files = sorted(video.path.parent.glob("0*"))
    for module in (join_muxed, join_zip):
        monkeypatch.setattr(
            module,
            "coded_pictures",
            lambda *given: (packet for place, packet in enumerate(coded_pictures(*given)) if place != 7),
        )

    with pytest.raises(RenderError, match="the finished video is wrong"):
        assemble(plan_dir, files, tmp_path / "video")

    assert not (tmp_path / "video").exists()


def test_a_clip_of_the_same_rate_shows_each_frame_when_it_should(video: VideoResult, case: Case) -> None:
    if case.container == "png-sequence":
        return
    with av.open(str(video.path)) as container:
        times = [frame.pts * frame.time_base for frame in container.decode(video=0)]  # type: ignore[operator]

    assert max(abs(time - frame / FPS) for frame, time in enumerate(times)) < Fraction(1, 1000)


def test_hevc_gives_the_same_bytes_however_often_it_is_asked() -> None:
    card = Composition("card", "testcard", 64, 32, Fraction(60), 1, {})
    settings = read_settings(encoder_document(card, QUALITIES["standard"], CODECS["hevc"]))
    pictures = [draw_picture(64, 32, frame, 7) for frame in (15, 45, 75, 105)]

    made = {tuple(packet.data for packet in encode_gop(pictures, settings).packets) for _ in range(200)}

    assert len(made) == 1
