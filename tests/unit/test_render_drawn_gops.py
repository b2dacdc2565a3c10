"""A chunk written of GOPs that another chunk holds is the very file that a fresh render writes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from ethereal.errors import ChunkCorruptError
from ethereal.render.chunk import render_chunk
from ethereal.render.composition import Background
from ethereal.render.drawn_gops import DrawnGop, find_gops, read_gop
from ethereal.render.plan import Plan, make_plan
from tests.render_fakes import NumpyRenderer, make_request, open_numpy

FRAMES, GOP = 200, 48  # five GOPs; the last is short


@dataclass(frozen=True)
class Rendered:
    """A plan in one chunk."""

    plan: Plan
    plan_dir: Path
    chunk: Path
    sha256: str


def rendered(
    folder: Path, *, container: str, codec: str, quality: str = "draft", background: Background = "scene"
) -> Rendered:
    request = make_request(folder / "in", frame_count=FRAMES, quality=quality)
    composition = replace(request.composition, background=background)
    request = replace(request, container=container, codec=codec, composition=composition)
    plan = make_plan(request, folder / "plan", open_renderer=open_numpy)
    result = render_chunk(folder / "plan", 0, folder / "chunk", open_renderer=open_numpy)
    return Rendered(plan, folder / "plan", folder / "chunk", result.sha256)


@pytest.fixture(scope="module")
def mp4(tmp_path_factory: pytest.TempPathFactory) -> Rendered:
    return rendered(tmp_path_factory.mktemp("mp4"), container="mp4", codec="h264")


@contextmanager
def open_none(plan_dir: Path) -> Iterator[NumpyRenderer]:
    pytest.fail("nothing is to be drawn")
    yield


@pytest.mark.parametrize(
    ("container", "codec", "quality", "background"),
    [
        ("mp4", "h264", "draft", "scene"),
        ("mp4", "h264", "high", "scene"),
        ("mp4", "hevc", "draft", "scene"),
        ("webm", "vp9", "draft", "transparent"),
        ("mov", "prores", "draft", "scene"),
        ("png-sequence", "png", "draft", "scene"),
    ],
)
def test_copied_and_drawn_gops_make_the_same_bytes(
    tmp_path: Path, container: str, codec: str, quality: str, background: Background
) -> None:
    source = rendered(tmp_path, container=container, codec=codec, quality=quality, background=background)
    drawn = find_gops(source.chunk, source.plan.plan_hash, GOP)
    renderers: list[NumpyRenderer] = []

    @contextmanager
    def open_watched(plan_dir: Path) -> Iterator[NumpyRenderer]:
        with open_numpy(plan_dir) as renderer:
            renderers.append(renderer)
            yield renderer

    some = {number: drawn[number] for number in (0, 2, 4)}
    mixed = render_chunk(source.plan_dir, 0, tmp_path / "mixed", open_renderer=open_watched, drawn=some)
    copied = render_chunk(source.plan_dir, 0, tmp_path / "copied", open_renderer=open_none, drawn=drawn)

    assert mixed.sha256 == source.sha256 == copied.sha256
    assert (mixed.copied_frames, copied.copied_frames) == (2 * GOP + 8, FRAMES)
    again = set(renderers[0].drawn) - set(source.plan.canary.frames)
    assert again == {*range(GOP, 2 * GOP), *range(3 * GOP, 4 * GOP)} - set(source.plan.canary.frames)


def test_the_pulse_counts_what_was_copied(mp4: Rendered, tmp_path: Path) -> None:
    drawn = find_gops(mp4.chunk, mp4.plan.plan_hash, GOP)
    told: list[float] = []

    render_chunk(
        mp4.plan_dir,
        0,
        tmp_path / "chunk",
        open_renderer=open_numpy,
        beat=told.append,
        drawn={number: drawn[number] for number in range(4)},
    )

    assert told[0] >= 4 * GOP / FRAMES
    assert told[-1] == 1.0


def test_a_chunk_of_another_plan_or_changed_since_gives_no_gops(mp4: Rendered, tmp_path: Path) -> None:
    with pytest.raises(ChunkCorruptError, match="belongs to plan"):
        find_gops(mp4.chunk, "another", GOP)

    content = bytearray(mp4.chunk.read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "damaged").write_bytes(content)
    with pytest.raises(ChunkCorruptError, match="damaged"):
        find_gops(tmp_path / "damaged", mp4.plan.plan_hash, GOP)


def test_a_gop_that_does_not_start_there_is_refused(mp4: Rendered) -> None:
    for start, count in ((1, GOP), (4 * GOP, GOP)):
        with pytest.raises(ChunkCorruptError, match=f"no GOP at its frame {start}"):
            read_gop(DrawnGop(mp4.chunk, start), count, mp4.plan.encoder, b"")


def test_gops_of_other_parameters_do_not_get_into_a_chunk(mp4: Rendered, tmp_path: Path) -> None:
    other = rendered(tmp_path, container="mp4", codec="h264", quality="high")
    drawn = find_gops(other.chunk, other.plan.plan_hash, GOP)

    with pytest.raises(ChunkCorruptError, match="other parameters") as error:
        render_chunk(mp4.plan_dir, 0, tmp_path / "mixed", open_renderer=open_numpy, drawn=drawn)

    assert error.value.files == ("chunk",)
    assert not (tmp_path / "mixed").exists()
