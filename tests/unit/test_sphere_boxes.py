"""Videos of all directions say so, twice, in words that others read; flat ones never do."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import av
import pytest
from av.sidedata.sidedata import Type
from hypothesis import given, settings
from hypothesis import strategies as st

from ethereal.beat import Beat
from ethereal.errors import LeaseLostError, RenderError
from ethereal.render.assemble import assemble
from ethereal.render.boxes import read_boxes
from ethereal.render.chunk import render_chunk
from ethereal.render.formats import Projection
from ethereal.render.plan import PlanRequest, make_plan
from ethereal.render.sphere_boxes import read_sphere, tell_sphere
from tests.render_fakes import make_request, open_numpy

SIZES: dict[Projection, tuple[int, int]] = {"flat": (160, 96), "mono": (160, 80), "stereo": (128, 128)}
TOP_BOTTOM = 2  # AV_STEREO3D_TOPBOTTOM


def shown(request: PlanRequest, projection: Projection, container: str = "mp4") -> PlanRequest:
    width, height = SIZES[projection]
    composition = replace(request.composition, width=width, height=height, projection=projection)
    return replace(request, composition=composition, container=container)


def render(request: PlanRequest, folder: Path) -> Path:
    plan = make_plan(request, folder / "plan", open_renderer=open_numpy)
    files = [folder / chunk.name for chunk in plan.chunks]
    for chunk, file in zip(plan.chunks, files, strict=True):
        render_chunk(folder / "plan", chunk.index, file, open_renderer=open_numpy)
    return assemble(folder / "plan", files, folder / "video").path


@pytest.fixture(scope="module")
def request_(tmp_path_factory: pytest.TempPathFactory) -> PlanRequest:
    return make_request(tmp_path_factory.mktemp("request"), frame_count=30)


@pytest.fixture(scope="module")
def flat(request_: PlanRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return render(request_, tmp_path_factory.mktemp("flat"))


def coded(path: Path) -> list[tuple[int, bytes]]:
    with av.open(str(path)) as video:
        return [(packet.stream_index, bytes(packet)) for packet in video.demux() if packet.size]


@pytest.mark.parametrize("container", ["mp4", "mov"])
@pytest.mark.parametrize(("projection", "arranged"), [("mono", 0), ("stereo", TOP_BOTTOM)])
def test_others_read_what_a_finished_video_shows(
    request_: PlanRequest, projection: Projection, arranged: int, container: str, tmp_path: Path
) -> None:
    video = render(shown(request_, projection, container), tmp_path)

    with av.open(str(video), format="mov") as opened:
        data = {entry.type: bytes(entry) for entry in next(opened.decode(video=0)).side_data}
    assert data[Type.SPHERICAL][:4] == bytes(4)  # AV_SPHERICAL_EQUIRECTANGULAR
    assert data[Type.STEREO3D][0] == arranged
    assert b"<GSpherical:ProjectionType>equirectangular<" in video.read_bytes()
    assert (b"StereoMode>top-bottom<" in video.read_bytes()) == (projection == "stereo")
    assert read_sphere(video) == projection
    assert [path.name for path in tmp_path.iterdir() if "untold" in path.name] == []


def test_a_flat_video_says_nothing_of_directions(flat: Path) -> None:
    assert read_sphere(flat) == "flat"
    assert b"spherical" not in flat.read_bytes().lower()


def test_what_is_told_moves_no_picture_and_no_sound(flat: Path, tmp_path: Path) -> None:
    told = tmp_path / "told.mp4"
    tell_sphere(flat, told, "mono")

    assert coded(told) == coded(flat)
    assert [box.kind for box in read_boxes(told)] == [box.kind for box in read_boxes(flat)]


def test_a_video_that_tells_another_projection_is_not_given_out(
    request_: PlanRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tell_wrongly(source: Path, output: Path, projection: Projection, *, beat: Beat) -> None:
        tell_sphere(source, output, "stereo", beat=beat)

    monkeypatch.setattr("ethereal.render.join_muxed.tell_sphere", tell_wrongly)
    with pytest.raises(RenderError, match="stereo, not mono"):
        render(shown(request_, "mono"), tmp_path)
    assert not (tmp_path / "video").exists()


def test_who_tells_beats_all_along_and_stops_when_told(flat: Path, tmp_path: Path) -> None:
    def stop(fraction: float) -> None:
        raise LeaseLostError("somebody else has it")

    with pytest.raises(LeaseLostError):
        tell_sphere(flat, tmp_path / "told.mp4", "mono", beat=stop)
    heard: list[float] = []
    tell_sphere(flat, tmp_path / "told.mp4", "mono", beat=heard.append)
    others = [box for box in read_boxes(flat) if box.kind != b"moov"]
    assert heard == [1.0] * len(others), "once for each MiB, and these are small"


def test_two_halves_that_do_not_agree_are_told(flat: Path, tmp_path: Path) -> None:
    told = tmp_path / "told.mp4"
    tell_sphere(flat, told, "stereo")
    told.write_bytes(told.read_bytes().replace(b">top-bottom<", b">left-right<"))

    with pytest.raises(ValueError, match="mono in one place and stereo in another"):
        read_sphere(told)


def test_samples_too_far_into_a_file_for_their_table_are_refused(flat: Path, tmp_path: Path) -> None:
    damaged = bytearray(flat.read_bytes())
    table = damaged.index(b"stco")
    damaged[table + 12 : table + 16] = b"\xff\xff\xff\xf0"
    (tmp_path / "damaged.mp4").write_bytes(damaged)

    with pytest.raises(ValueError, match="too far"):
        tell_sphere(tmp_path / "damaged.mp4", tmp_path / "told.mp4", "mono")


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_a_damaged_file_is_read_or_refused(
    flat: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    whole = bytearray(flat.read_bytes())
    moov = next(box for box in read_boxes(flat) if box.kind == b"moov")
    for _ in range(data.draw(st.integers(1, 4))):
        whole[moov.offset + data.draw(st.integers(8, moov.size - 1))] = data.draw(st.integers(0, 255))
    damaged = tmp_path_factory.getbasetemp() / "damaged.mp4"
    damaged.write_bytes(whole[: data.draw(st.integers(0, len(whole)))])

    for act in (read_sphere, lambda path: tell_sphere(path, path.with_suffix(".told"), "stereo")):
        with suppress(ValueError):
            act(damaged)
