"""A render by this process alone: one renderer for plan and chunks, and another when that one fails."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ethereal.errors import LeaseLostError, SceneFailedError
from ethereal.render.local import LocalProgress, render_locally
from ethereal.render.warm import WarmRenderer
from tests.render_fakes import make_request, open_numpy

FRAMES = 230


class Opened:
    """Counts what was opened and what is open."""

    def __init__(self) -> None:
        self.ever = self.now = 0

    @contextmanager
    def __call__(self, directory: Path) -> Iterator[Any]:
        self.ever, self.now = self.ever + 1, self.now + 1
        try:
            with open_numpy(directory) as renderer:
                yield renderer
        finally:
            self.now -= 1


@contextmanager
def open_failing_once(directory: Path) -> Iterator[Any]:
    """A scene that fails the first time that it draws frame 150 of the plan."""
    failed = directory.parent.parent / "failed"
    with open_numpy(directory) as renderer:
        draw = renderer.draw

        def draw_or_fail(frames: Sequence[int]) -> Iterator[memoryview]:
            for frame, view in zip(frames, draw(frames), strict=True):
                if frame == 150 and not failed.exists():
                    failed.touch()
                    raise SceneFailedError("the context was lost")
                yield view

        renderer.draw = draw_or_fail
        yield renderer


def test_one_renderer_draws_the_canary_and_every_chunk(tmp_path: Path) -> None:
    request, opened = make_request(tmp_path / "in", frame_count=FRAMES, chunk_count=3), Opened()
    told: list[LocalProgress] = []

    video = render_locally(request, tmp_path / "v.mp4", open_renderer=opened, tell=told.append)

    assert (video.frames, opened.ever, opened.now) == (FRAMES, 1, 0)
    drawn = [progress.frames_drawn for progress in told]
    assert drawn == sorted(drawn)


def test_a_renderer_that_fails_here_is_followed_by_a_fresh_one_in_its_own_process(tmp_path: Path) -> None:
    request = make_request(tmp_path / "in", frame_count=FRAMES, chunk_count=2)
    expected = render_locally(request, tmp_path / "expected.mp4", open_renderer=open_numpy)

    video = render_locally(request, tmp_path / "v.mp4", open_renderer=open_failing_once)

    assert (tmp_path / "failed").exists()
    assert video.sha256 == expected.sha256


@pytest.mark.parametrize("stage", ["planning", "drawing", "assembling"])
def test_a_render_stopped_at_any_stage_leaves_nothing_open_and_no_file(tmp_path: Path, stage: str) -> None:
    request, opened = make_request(tmp_path / "in", frame_count=FRAMES), Opened()

    def stop(progress: LocalProgress) -> None:
        if progress.stage == stage:
            raise LeaseLostError

    with pytest.raises(LeaseLostError):
        render_locally(request, tmp_path / "v.mp4", open_renderer=opened, tell=stop)

    assert opened.now == 0
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_a_warm_renderer_that_planned_opens_a_fresh_one_for_another_plan(tmp_path: Path) -> None:
    opened = Opened()

    with WarmRenderer(opened) as warm:
        for name in ("a", "b"):
            request = make_request(tmp_path / name, frame_count=30)
            plan = warm.make_plan(request, tmp_path / f"plan-{name}")
            with warm(tmp_path / f"plan-{name}") as renderer:
                assert renderer.gl_renderer == "numpy"
            document = json.loads((tmp_path / f"plan-{name}" / "plan.json").read_text())
            assert document["planHash"] == plan.plan_hash
        assert (opened.ever, opened.now) == (2, 1)

    assert opened.now == 0
