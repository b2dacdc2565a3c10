"""A chunk appears whole or not at all, and only from those who make the plan's pixels and bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from ethereal.errors import (
    ChunkCorruptError,
    ChunkIndexError,
    EncoderMismatchError,
    LeaseLostError,
    OutOfDiskError,
    RendererMismatchError,
    SceneFailedError,
)
from ethereal.render import canary, chunk_file
from ethereal.render.chunk import render_chunk
from ethereal.render.chunk_file import ChunkSeal, read_seal
from ethereal.render.container import open_muxer
from ethereal.render.encode import encode_gop
from ethereal.render.encoder_settings import libraries
from ethereal.render.plan import Plan, load_plan, make_plan
from ethereal.render.warm import WarmRenderer
from tests.render_fakes import NumpyRenderer, make_request, open_numpy


@pytest.fixture(scope="module")
def plan_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("chunk")
    make_plan(make_request(folder / "in", chunk_count=2), folder / "plan", open_renderer=open_numpy)
    return folder / "plan"


@pytest.fixture
def plan(plan_dir: Path) -> Plan:
    return load_plan(plan_dir)


def test_a_chunk_says_what_it_holds(plan_dir: Path, plan: Plan, tmp_path: Path) -> None:
    result = render_chunk(plan_dir, 1, tmp_path / "chunk", open_renderer=open_numpy)

    content = (tmp_path / "chunk").read_bytes()
    assert (result.sha256, result.size_bytes) == (hashlib.sha256(content).hexdigest(), len(content))
    assert (result.index, result.first_gop, result.gop_count, result.frame_count) == (1, 2, 3, 144)
    assert read_seal(tmp_path / "chunk") == ChunkSeal(plan.plan_hash, 2, 3, 144)
    assert set(result.timings) == {"boot", "capture", "encode"}
    assert [path.name for path in tmp_path.iterdir()] == ["chunk"]


def test_a_chunk_drawn_again_is_the_same_file(plan_dir: Path, tmp_path: Path) -> None:
    results = [
        render_chunk(plan_dir, 0, tmp_path / "chunk", open_renderer=open_numpy, encoders=encoders)
        for encoders in (1, 3)
    ]

    assert results[0].sha256 == results[1].sha256


@pytest.mark.parametrize("index", [-1, 2])
def test_a_chunk_there_is_not_is_refused(plan_dir: Path, tmp_path: Path, index: int) -> None:
    with pytest.raises(ChunkIndexError):
        render_chunk(plan_dir, index, tmp_path / "chunk", open_renderer=open_numpy)


def test_a_chunk_that_is_stopped_leaves_nothing(plan_dir: Path, tmp_path: Path) -> None:
    def stop(fraction: float) -> None:
        if fraction > 0.5:
            raise LeaseLostError

    with pytest.raises(LeaseLostError):
        render_chunk(plan_dir, 0, tmp_path / "chunk", open_renderer=open_numpy, beat=stop)

    assert list(tmp_path.iterdir()) == []


def test_a_renderer_that_draws_one_shade_off_is_refused(plan_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(RendererMismatchError, match="numpy"):
        render_chunk(plan_dir, 0, tmp_path / "chunk", open_renderer=partial(open_numpy, shade=1))

    assert list(tmp_path.iterdir()) == []


def test_other_libraries_are_refused_before_a_browser_starts(
    plan_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = libraries()
    monkeypatch.setattr(canary, "libraries", lambda: {**ours, "libavcodec": "1.0.0"})

    def never(directory: Path) -> Iterator[NumpyRenderer]:
        pytest.fail("a browser was started")

    with pytest.raises(EncoderMismatchError, match=r"libavcodec .* here 1\.0\.0"):
        render_chunk(plan_dir, 0, tmp_path / "chunk", open_renderer=contextmanager(never))


def test_the_same_libraries_that_encode_other_bytes_are_refused(
    plan_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(canary, "encode_gop", lambda frames, settings: encode_gop(frames[:-1], settings))

    with pytest.raises(EncoderMismatchError, match="other bytes"):
        render_chunk(plan_dir, 0, tmp_path / "chunk", open_renderer=open_numpy)


def test_a_full_disk_is_named_as_such(
    plan_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        chunk_file, "open_muxer", lambda path, wrapper: open_muxer(Path("/dev/full"), wrapper)
    )

    with pytest.raises(OutOfDiskError, match="chunk"):
        render_chunk(plan_dir, 0, tmp_path / "chunk", open_renderer=open_numpy)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", [40, 2000, -200, -5])
def test_one_changed_bit_anywhere_in_a_chunk_is_noticed(plan_dir: Path, tmp_path: Path, place: int) -> None:
    render_chunk(plan_dir, 0, tmp_path / "chunk", open_renderer=open_numpy)
    content = bytearray((tmp_path / "chunk").read_bytes())
    content[place] ^= 1
    (tmp_path / "chunk").write_bytes(content)

    with pytest.raises(ChunkCorruptError):
        read_seal(tmp_path / "chunk")


@pytest.mark.parametrize("keep", [0, 4, 1000, -1])
def test_half_a_chunk_is_noticed(plan_dir: Path, tmp_path: Path, keep: int) -> None:
    render_chunk(plan_dir, 0, tmp_path / "chunk", open_renderer=open_numpy)
    content = (tmp_path / "chunk").read_bytes()
    (tmp_path / "chunk").write_bytes(content[:keep])

    with pytest.raises(ChunkCorruptError):
        read_seal(tmp_path / "chunk")


class Openings:
    """Counts how often a renderer was opened and closed."""

    def __init__(self) -> None:
        self.opened, self.closed = 0, 0
        self.renderers: list[NumpyRenderer] = []

    @contextmanager
    def __call__(self, plan_dir: Path) -> Iterator[NumpyRenderer]:
        self.opened += 1
        with open_numpy(plan_dir) as renderer:
            self.renderers.append(renderer)
            yield renderer
        self.closed += 1


def test_a_warm_renderer_is_opened_and_proven_once_for_all_chunks(plan_dir: Path, tmp_path: Path) -> None:
    openings = Openings()

    with WarmRenderer(openings) as warm:
        for index in (0, 1, 0):
            render_chunk(plan_dir, index, tmp_path / "chunk", open_renderer=warm)

    assert (openings.opened, openings.closed) == (1, 1)
    drawn_to_prove = 5
    assert len(openings.renderers[0].drawn) == 96 + 144 + 96 + drawn_to_prove


def test_a_warm_renderer_used_for_the_last_time_is_closed_while_the_last_frames_are_encoded(
    plan_dir: Path, tmp_path: Path
) -> None:
    written: list[bytes] = []

    @contextmanager
    def watched(plan_dir: Path) -> Iterator[NumpyRenderer]:
        with open_numpy(plan_dir) as renderer:
            yield renderer
        written.extend(path.read_bytes() for path in tmp_path.rglob("chunk"))

    with WarmRenderer(watched) as warm:
        render_chunk(plan_dir, 1, tmp_path / "first", open_renderer=warm)
        assert written == []
        render_chunk(plan_dir, 0, tmp_path / "chunk", open_renderer=warm.last)

    whole = (tmp_path / "chunk").read_bytes()
    assert [len(part) < len(whole) for part in written] == [True]


def test_a_renderer_is_kept_until_the_chunk_is_whole(plan_dir: Path, tmp_path: Path) -> None:
    """Who keeps it counts from then on how long nobody comes for it."""
    seals: list[ChunkSeal] = []

    @contextmanager
    def watched(plan_dir: Path) -> Iterator[NumpyRenderer]:
        with open_numpy(plan_dir) as renderer:
            yield renderer
        seals.extend(map(read_seal, tmp_path.rglob("chunk")))

    render_chunk(plan_dir, 0, tmp_path / "chunk", open_renderer=watched)

    assert len(seals) == 1


def test_after_a_failure_a_warm_renderer_opens_afresh(plan_dir: Path, tmp_path: Path) -> None:
    openings = Openings()

    def fail(fraction: float) -> None:
        raise SceneFailedError("context lost")

    with WarmRenderer(openings) as warm:
        with pytest.raises(SceneFailedError):
            render_chunk(plan_dir, 0, tmp_path / "chunk", open_renderer=warm, beat=fail)
        assert openings.opened == 1
        render_chunk(plan_dir, 0, tmp_path / "chunk", open_renderer=warm)

    assert openings.opened == 2


def test_a_warm_renderer_opens_afresh_for_another_plan(plan_dir: Path, tmp_path: Path) -> None:
    other = make_plan(
        make_request(tmp_path / "in", seed=8, frame_count=60), tmp_path / "plan", open_renderer=open_numpy
    )
    openings = Openings()

    with WarmRenderer(openings) as warm:
        render_chunk(plan_dir, 0, tmp_path / "one", open_renderer=warm)
        render_chunk(tmp_path / "plan", 0, tmp_path / "two", open_renderer=warm)

    assert (openings.opened, openings.closed) == (2, 2)
    assert read_seal(tmp_path / "two").plan_hash == other.plan_hash
