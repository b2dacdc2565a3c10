"""How a render on this machine alone is spread over its cores."""

from __future__ import annotations

from pathlib import Path

import pytest

from ethereal import bootstrap
from ethereal.bench.load import Load, make_sound, request_load
from ethereal.render.plan import PlanRequest
from ethereal.settings import Settings


def request(folder: Path, frames: int) -> PlanRequest:
    return request_load(
        Load("bench_light", "draft-720p", frames), make_sound(folder / "s.wav", frames), folder
    )


@pytest.fixture(autouse=True)
def _eight_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "cores", lambda: 8)


def test_a_short_video_gets_one_browser_and_an_encoder_for_each_core(tmp_path: Path) -> None:
    shape = bootstrap.local_shape(Settings(), request(tmp_path, 60))

    assert (shape.workers, shape.encoders) == (1, 8)


def test_a_long_video_gets_a_browser_for_every_four_cores(tmp_path: Path) -> None:
    shape = bootstrap.local_shape(Settings(), request(tmp_path, 300))

    assert (shape.workers, shape.encoders) == (2, 4)


def test_what_was_asked_for_is_what_is_used(tmp_path: Path) -> None:
    shape = bootstrap.local_shape(Settings(), request(tmp_path, 60), workers=4)

    assert (shape.workers, shape.encoders) == (4, 2)
