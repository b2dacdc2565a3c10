"""The whole way from a scene in a real browser to the pictures of a finished video."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import av
import pytest

from ethereal.render.assemble import VideoResult
from ethereal.render.capture import open_chromium_renderer
from ethereal.render.local import render_locally
from ethereal.render.plan import PlanRequest
from tests.cards import read_index
from tests.render_fakes import make_request

FRAMES = 110


def scene_request(folder: Path, scene: str) -> PlanRequest:
    request = make_request(folder / "in", frame_count=FRAMES, size=(320, 180), chunk_count=1)
    return replace(request, composition=replace(request.composition, scene=scene, parameters={}))


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> VideoResult:
    folder = tmp_path_factory.mktemp("card")
    return render_locally(
        scene_request(folder, "testcard"), folder / "video.mp4", open_renderer=open_chromium_renderer
    )


def test_every_frame_of_the_video_shows_its_own_number(card: VideoResult) -> None:
    with av.open(str(card.path)) as container:
        shown = [
            read_index(cast(Any, frame.to_ndarray(format="rgba"))) for frame in container.decode(video=0)
        ]

    assert shown == list(range(FRAMES))


@pytest.mark.parametrize("scene", ["testcard", "flame"])
def test_two_browsers_draw_the_same_file_as_one(scene: str, tmp_path: Path) -> None:
    request = scene_request(tmp_path, scene)

    one, two = (
        render_locally(
            replace(request, chunk_count=count),
            tmp_path / f"{count}.mp4",
            open_renderer=partial(open_chromium_renderer, gl="auto"),
            workers=count,
        )
        for count in (1, 2)
    )

    assert (one.sha256, one.plan_hash) == (two.sha256, two.plan_hash)
