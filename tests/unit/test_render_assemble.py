"""The video: the same bytes however it was dealt out, whole, in order, in step with its sound."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import partial
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from ethereal.errors import ChunkCorruptError, LeaseLostError, RenderError
from ethereal.render import join_muxed as joining
from ethereal.render.assemble import VideoResult, assemble
from ethereal.render.boxes import read_boxes
from ethereal.render.chunk import render_chunk
from ethereal.render.formats import FRAME_RATES
from ethereal.render.plan import PlanRequest, make_plan
from ethereal.render.renderer import OpenRenderer
from tests.render_fakes import FPS, draw_picture, make_request, open_numpy, read_number

FRAMES = 230  # the last GOP is short
CLICKS = (0.5, 4.25, 9.0)


def clicks(seconds: float) -> NDArray[np.float32]:
    samples = (0.01 * np.sin(np.arange(round(seconds * 48_000)) / 20)).astype(np.float32)
    samples[[round(click * 48_000) for click in CLICKS if click < seconds]] = 0.9
    return samples


def seconds(ticks: int | None, unit: Fraction | None) -> Fraction:
    assert ticks is not None
    assert unit is not None
    return ticks * unit


def draw(request: PlanRequest, folder: Path, opener: OpenRenderer = open_numpy) -> list[Path]:
    plan = make_plan(request, folder / "plan", open_renderer=opener)
    files = [folder / chunk.name for chunk in plan.chunks]
    for index, file in enumerate(files):
        render_chunk(folder / "plan", index, file, open_renderer=opener)
    return files


def render(request: PlanRequest, folder: Path, opener: OpenRenderer = open_numpy) -> VideoResult:
    return assemble(folder / "plan", draw(request, folder, opener), folder / "video.mp4")


@pytest.fixture(scope="module")
def request_(tmp_path_factory: pytest.TempPathFactory) -> PlanRequest:
    return make_request(tmp_path_factory.mktemp("in"), frame_count=FRAMES, samples=clicks(9.2))


@pytest.fixture(scope="module")
def video(request_: PlanRequest, tmp_path_factory: pytest.TempPathFactory) -> VideoResult:
    return render(request_, tmp_path_factory.mktemp("video"))


@pytest.fixture(scope="module")
def drawn(request_: PlanRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("drawn")
    draw(replace(request_, chunk_count=5), folder)
    return folder


@pytest.fixture
def chunks(drawn: Path, tmp_path: Path) -> list[Path]:
    return [Path(shutil.copy(path, tmp_path)) for path in sorted(drawn.glob("0*"))]


def test_the_result_describes_the_file(video: VideoResult) -> None:
    content = video.path.read_bytes()

    assert (video.sha256, video.size_bytes) == (hashlib.sha256(content).hexdigest(), len(content))
    assert (video.frames, video.width, video.height, video.fps) == (FRAMES, 160, 96, FPS)
    assert video.duration == Fraction(FRAMES, 24)


@pytest.mark.parametrize("noisy_until", [48, 230])
def test_a_first_chunk_unlike_the_others_leaves_no_trace_in_the_file(
    request_: PlanRequest, tmp_path: Path, noisy_until: int
) -> None:
    noisy = partial(open_numpy, noisy_until=noisy_until)

    digests = {
        render(replace(request_, chunk_count=count), tmp_path / str(count), noisy).sha256
        for count in (1, 2, 5)
    }

    assert len(digests) == 1


@pytest.mark.parametrize("chunk_count", [2, 5])
def test_any_number_of_chunks_gives_the_same_bytes(
    request_: PlanRequest, video: VideoResult, tmp_path: Path, chunk_count: int
) -> None:
    again = render(replace(request_, chunk_count=chunk_count), tmp_path)

    assert (again.sha256, again.plan_hash) == (video.sha256, video.plan_hash)


def test_nothing_in_the_file_tells_of_its_first_chunk(video: VideoResult) -> None:
    assert b"btrt" not in video.path.read_bytes(), "a stated bit rate would be that of the first chunk"


def test_chunks_may_come_in_any_order_and_from_another_dealing(
    request_: PlanRequest, video: VideoResult, chunks: list[Path], tmp_path: Path
) -> None:
    plan_dir = tmp_path / "plan"
    make_plan(replace(request_, chunk_count=2), plan_dir, open_renderer=open_numpy)
    render_chunk(plan_dir, 0, tmp_path / "first-two", open_renderer=open_numpy)

    again = assemble(plan_dir, [*chunks[:1:-1], tmp_path / "first-two"], tmp_path / "video.mp4")

    assert again.sha256 == video.sha256


def test_every_frame_is_there_in_order_and_looks_as_drawn(video: VideoResult) -> None:
    with av.open(str(video.path)) as container:
        shown = [
            (seconds(frame.pts, frame.time_base), frame.to_ndarray(format="rgb24"))
            for frame in container.decode(video=0)
        ]

    assert [time for time, _ in shown] == [frame / FPS for frame in range(FRAMES)]
    assert [read_number(picture) for _, picture in shown] == list(range(FRAMES))
    errors = [
        np.abs(picture.astype(int) - draw_picture(160, 96, frame, 7)[..., :3]).mean()
        for frame, (_, picture) in enumerate(shown)
    ]
    assert max(errors) < 6
    seams = [errors[frame] for start in range(48, FRAMES, 48) for frame in (start - 1, start)]
    assert np.mean(seams) < np.mean(errors) * 1.15, "frames beside a seam look like the others"


def test_red_green_and_blue_stay_what_they_are(video: VideoResult) -> None:
    with av.open(str(video.path)) as container:
        picture = next(container.decode(video=0)).to_ndarray(format="rgb24").astype(int)

    for channel in range(3):
        pure = 255 * np.eye(3, dtype=int)[channel]
        assert np.abs(picture[84, 20 + 40 * channel] - pure).max() <= 6


def test_a_click_is_heard_within_a_millisecond_of_where_it_was(video: VideoResult) -> None:
    with av.open(str(video.path)) as container:
        sound = container.streams.audio[0]
        frames = list(container.decode(sound))
        heard = np.concatenate([frame.to_ndarray()[0] for frame in frames])
        length, start = seconds(sound.duration, sound.time_base), seconds(frames[0].pts, sound.time_base)

    assert abs(length - video.duration) <= Fraction(1, 48_000)
    for click in CLICKS:
        place = round((click - float(start)) * 48_000)
        around = np.abs(heard[place - 2000 : place + 2000])
        assert abs(int(around.argmax()) - 2000) <= 48


def test_it_starts_playing_before_it_is_loaded_and_names_its_plan_but_no_date_or_version(
    video: VideoResult,
) -> None:
    assert [box.kind for box in read_boxes(video.path)] == [b"ftyp", b"moov", b"free", b"mdat"]
    with av.open(str(video.path)) as container:
        assert container.metadata["comment"] == f"ethereal plan {video.plan_hash}"
        assert not {"creation_time", "encoder"} & set(container.metadata)
        codec = container.streams.video[0].codec_context
        assert (codec.color_range, codec.colorspace, codec.color_primaries, codec.color_trc) == (1, 1, 1, 1)
        assert (codec.name, codec.pix_fmt, codec.profile) == ("h264", "yuv420p", "High")
        assert container.streams.video[0].average_rate == FPS
    assert b"Lavf" not in video.path.read_bytes()
    assert b"x264" not in video.path.read_bytes()


@pytest.mark.parametrize("fps", FRAME_RATES)
@pytest.mark.parametrize("frame_count", [1, 2, 121])
def test_every_rate_and_length_comes_out_exact(fps: Fraction, frame_count: int, tmp_path: Path) -> None:
    request = make_request(
        tmp_path / "in",
        frame_count=frame_count,
        fps=fps,
        samples=clicks(float(frame_count / fps)),
        size=(32, 18),
    )

    video = render(request, tmp_path)

    with av.open(str(video.path)) as container:
        picture, sound = container.streams.video[0], container.streams.audio[0]
        times = [seconds(frame.pts, frame.time_base) for frame in container.decode(picture)]
        assert times == [frame / fps for frame in range(frame_count)]
        assert seconds(picture.duration, picture.time_base) == frame_count / fps
        assert abs(seconds(sound.duration, sound.time_base) - frame_count / fps) <= Fraction(1, 48_000)


def test_a_video_without_sound_has_no_sound_track(tmp_path: Path) -> None:
    video = render(make_request(tmp_path / "in", frame_count=30), tmp_path)

    with av.open(str(video.path)) as container:
        assert [stream.type for stream in container.streams] == ["video"]


def _drop_last(files: list[Path]) -> list[Path]:
    return files[:-1]


def _drop_middle(files: list[Path]) -> list[Path]:
    return files[:2] + files[3:]


def _twice(files: list[Path]) -> list[Path]:
    return [*files, files[1]]


def _none(files: list[Path]) -> list[Path]:
    return []


def _damage(files: list[Path]) -> list[Path]:
    content = bytearray(files[1].read_bytes())
    content[len(content) // 3] ^= 1
    files[1].write_bytes(content)
    return files


def _lose(files: list[Path]) -> list[Path]:
    files[1].unlink()
    return files


@pytest.mark.parametrize("harm", [_drop_last, _drop_middle, _twice, _none, _damage, _lose])
def test_chunks_that_are_damaged_or_do_not_cover_the_plan_are_refused(
    harm: Callable[[list[Path]], list[Path]], drawn: Path, chunks: list[Path], tmp_path: Path
) -> None:
    with pytest.raises(ChunkCorruptError):
        assemble(drawn / "plan", harm(chunks), tmp_path / "video.mp4")

    assert not (tmp_path / "video.mp4").exists()


def test_a_chunk_of_another_plan_is_refused(
    request_: PlanRequest, drawn: Path, chunks: list[Path], tmp_path: Path
) -> None:
    other = replace(request_, composition=replace(request_.composition, seed=8), chunk_count=5)
    stranger = draw(other, tmp_path / "other")[2]

    with pytest.raises(ChunkCorruptError, match="belongs to plan"):
        assemble(drawn / "plan", [*chunks[:2], stranger, *chunks[3:]], tmp_path / "video.mp4")


def test_a_video_that_does_not_come_out_as_planned_is_not_given_out(
    drawn: Path, chunks: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = joining.coded_pictures
    monkeypatch.setattr(
        joining,
        "coded_pictures",
        lambda *arguments: (packet for packet in pictures(*arguments) if packet.pts != 512),
    )

    with pytest.raises(RenderError, match="229 frames, not 230"):
        assemble(drawn / "plan", chunks, tmp_path / "video.mp4")

    assert not (tmp_path / "video.mp4").exists()


def test_assembling_that_is_stopped_leaves_nothing(drawn: Path, chunks: list[Path], tmp_path: Path) -> None:
    before = set(tmp_path.iterdir())

    def stop(fraction: float) -> None:
        if fraction > 0.3:
            raise LeaseLostError

    with pytest.raises(LeaseLostError):
        assemble(drawn / "plan", chunks, tmp_path / "video.mp4", beat=stop)

    assert set(tmp_path.iterdir()) == before
