"""What a plan freezes, what its hash covers, and what is said when its bytes are not those."""

from __future__ import annotations

import json
import os
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest

from ethereal.beat import no_beat
from ethereal.errors import (
    InvalidConfigError,
    InvalidInputError,
    LeaseLostError,
    MissingPlanArtifactError,
    PlanHashMismatchError,
    PlanProtocolError,
    PlanTooLargeError,
    SceneFailedError,
)
from ethereal.render import plan_hash
from ethereal.render.plan import PlanRequest, load_plan, make_plan
from ethereal.render.plan_files import MAX_PLAN_BYTES, check_frozen_size, check_size
from ethereal.render.plan_record import PROTOCOL
from tests.render_fakes import NumpyRenderer, make_request, open_numpy

SECOND = np.zeros(48_000, np.float32)


@pytest.fixture
def request_(tmp_path: Path) -> PlanRequest:
    return make_request(tmp_path / "in", frame_count=240, samples=SECOND)


@pytest.fixture
def plan_dir(tmp_path: Path, request_: PlanRequest) -> Path:
    make_plan(request_, tmp_path / "plan", open_renderer=open_numpy)
    return tmp_path / "plan"


def test_a_plan_holds_everything_that_drawing_and_encoding_need(plan_dir: Path) -> None:
    plan = load_plan(plan_dir)

    assert {path.name for path in plan_dir.iterdir()} == {
        "plan.json", "composition.json", "composition", "features.json", "features.f32", "audio.m4a",
        "encoder.json",
    }  # fmt: skip
    assert (plan_dir / "composition" / "testcard" / "scene.js").is_file()
    assert json.loads((plan_dir / "composition.json").read_bytes()) == {
        "scene": "testcard", "width": 160, "height": 96, "fps": "24/1", "frameCount": 240, "seed": 7,
        "parameters": {"tint": 0.5}, "reach": {"features": ["rms"], "whole": [], "before": 0, "after": 0},
    }  # fmt: skip
    assert (plan.frame_count, plan.gop_frames, len(plan.gops)) == (240, 48, 5)
    assert plan.duration == 10
    assert plan.encoder.options["crf"] == "28.5"
    assert plan.has_audio


def test_equal_requests_make_equal_plans_however_they_are_dealt(
    tmp_path: Path, request_: PlanRequest
) -> None:
    plans = [
        make_plan(replace(request_, chunk_count=count), tmp_path / str(count), open_renderer=open_numpy)
        for count in (1, 2, 5, 9)
    ]

    assert len({plan.plan_hash for plan in plans}) == 1
    assert [len(plan.chunks) for plan in plans] == [1, 2, 5, 5]


def test_encoder_options_stand_in_for_the_quality_s_and_are_frozen_with_the_rest(
    tmp_path: Path, request_: PlanRequest
) -> None:
    usual = make_plan(request_, tmp_path / "usual", open_renderer=open_numpy)

    asked = replace(request_, encoder_options={"crf": "16"})
    plan = make_plan(asked, tmp_path / "asked", open_renderer=open_numpy)

    assert plan.encoder.options == {**usual.encoder.options, "crf": "16"}
    assert load_plan(tmp_path / "asked").plan_hash != usual.plan_hash


@pytest.mark.parametrize(
    "change",
    [
        lambda request: replace(request, quality="standard"),
        lambda request: replace(request, canonical=None),
        lambda request: replace(request, composition=replace(request.composition, seed=8)),
        lambda request: replace(request, composition=replace(request.composition, parameters={"tint": 0.6})),
    ],
)
def test_whatever_changes_a_byte_of_the_video_changes_the_hash(
    change: Callable[[PlanRequest], PlanRequest], tmp_path: Path, request_: PlanRequest
) -> None:
    one = make_plan(request_, tmp_path / "one", open_renderer=open_numpy)
    two = make_plan(change(request_), tmp_path / "two", open_renderer=open_numpy)

    assert one.plan_hash != two.plan_hash


def test_a_file_changed_by_one_bit_is_a_mismatch(plan_dir: Path) -> None:
    features = plan_dir / "features.f32"
    load_plan(plan_dir)
    content = bytearray(features.read_bytes())
    content[100] ^= 1
    features.write_bytes(content)

    with pytest.raises(PlanHashMismatchError):
        load_plan(plan_dir)


def test_a_file_too_many_is_a_mismatch(plan_dir: Path) -> None:
    (plan_dir / "composition" / "more.js").write_text("")

    with pytest.raises(PlanHashMismatchError):
        load_plan(plan_dir)


@pytest.mark.parametrize("name", ["plan.json", "encoder.json", "audio.m4a", "composition/runtime.js"])
def test_a_file_that_is_not_there_is_named(plan_dir: Path, name: str) -> None:
    (plan_dir / name).unlink()

    with pytest.raises(MissingPlanArtifactError, match=name):
        load_plan(plan_dir)


@pytest.mark.parametrize("content", ["", "{", "[]", f'{{"protocol": {PROTOCOL}}}'])
def test_a_damaged_plan_json_is_a_mismatch(plan_dir: Path, content: str) -> None:
    (plan_dir / "plan.json").write_text(content)

    with pytest.raises(PlanHashMismatchError):
        load_plan(plan_dir)


def test_an_unknown_protocol_is_refused_before_anything_is_read_into_it(plan_dir: Path) -> None:
    (plan_dir / "plan.json").write_text(f'{{"protocol": {PROTOCOL + 1}, "new": true}}')

    with pytest.raises(PlanProtocolError, match=f"{PROTOCOL + 1}; this worker knows {PROTOCOL}$"):
        load_plan(plan_dir)


def test_the_hash_of_an_unchanged_plan_is_computed_once(
    plan_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = load_plan(plan_dir)
    monkeypatch.setattr(plan_hash, "add_file", None)

    assert load_plan(plan_dir) is first


def test_a_plan_made_again_takes_the_place_of_the_old_one(plan_dir: Path, request_: PlanRequest) -> None:
    (plan_dir / "rubbish").write_text("left by someone")

    plan = make_plan(request_, plan_dir, open_renderer=open_numpy)

    assert load_plan(plan_dir) == plan
    assert sorted(path.name for path in plan_dir.parent.iterdir()) == ["in", "plan"]


def test_a_plan_that_is_stopped_leaves_nothing(tmp_path: Path, request_: PlanRequest) -> None:
    def stop(fraction: float) -> None:
        raise LeaseLostError

    with pytest.raises(LeaseLostError):
        make_plan(request_, tmp_path / "plan", open_renderer=open_numpy, beat=stop)

    assert [path.name for path in tmp_path.iterdir()] == ["in"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"frame_count": 0}, "frameCount"),
        ({"frame_count": 24 * 3600 * 24 + 1}, "frameCount"),
        ({"frame_count": 239}, "features"),
        ({"quality": "best"}, "quality"),
        ({"container": "gif"}, "container"),
        ({"chunk_count": 1001}, "chunkCount"),
        ({"canonical": Path("/nowhere.flac")}, "audio"),
        ({"features_dir": Path("/nowhere")}, "features"),
    ],
)
def test_a_request_that_cannot_be_planned_is_refused_by_field(
    change: dict[str, object], field: str, tmp_path: Path, request_: PlanRequest
) -> None:
    with pytest.raises(InvalidInputError) as refused:
        make_plan(replace(request_, **change), tmp_path / "plan", open_renderer=open_numpy)  # type: ignore[arg-type]

    assert list(refused.value.details) == [field]
    assert not (tmp_path / "plan").exists()


def test_a_scene_there_is_not_is_refused(tmp_path: Path, request_: PlanRequest) -> None:
    unknown = replace(request_, composition=replace(request_.composition, scene="nothing"))

    with pytest.raises(InvalidInputError, match="testcard"):
        make_plan(unknown, tmp_path / "plan", open_renderer=open_numpy)


def test_features_of_another_rate_are_refused(tmp_path: Path, request_: PlanRequest) -> None:
    faster = replace(request_, composition=replace(request_.composition, fps=Fraction(25)))

    with pytest.raises(InvalidConfigError, match="24/1"):
        make_plan(faster, tmp_path / "plan", open_renderer=open_numpy)


def test_a_plan_over_the_limit_is_refused_with_the_size_of_each_part(tmp_path: Path) -> None:
    for name, size in (("audio.m4a", 60), ("a.js", 30), ("b.js", 20)):
        (tmp_path / name).write_bytes(bytes(size))
    files = {
        "audio.m4a": tmp_path / "audio.m4a",
        "composition/a.js": tmp_path / "a.js",
        "composition/b.js": tmp_path / "b.js",
    }

    check_size(files, limit=110)
    with pytest.raises(PlanTooLargeError, match=r"110 bytes, over 109: audio\.m4a 60, composition 50"):
        check_size(files, limit=109)


def test_a_scene_that_draws_a_frame_in_two_ways_is_refused(
    tmp_path: Path, request_: PlanRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def draw(self: NumpyRenderer, frames: list[int]) -> object:
        for frame in frames:
            self.drawn.append(frame)
            yield memoryview(bytes([len(self.drawn)]) * self.width * self.height * 4)

    monkeypatch.setattr(NumpyRenderer, "draw", draw)

    with pytest.raises(SceneFailedError, match="twice"):
        make_plan(request_, tmp_path / "plan", open_renderer=open_numpy, beat=no_beat)


def test_what_is_too_large_is_refused_by_its_size_alone_before_and_after_it_is_frozen(
    request_: PlanRequest, plan_dir: Path, tmp_path: Path
) -> None:
    copytree(request_.features_dir, features := tmp_path / "features")
    os.truncate(features / "features.f32", MAX_PLAN_BYTES)
    os.truncate(plan_dir / "audio.m4a", MAX_PLAN_BYTES)

    tracemalloc.start()
    with pytest.raises(PlanTooLargeError, match=rf": features\.f32 {MAX_PLAN_BYTES}, "):
        make_plan(replace(request_, features_dir=features), tmp_path / "new", open_renderer=open_numpy)
    with pytest.raises(PlanTooLargeError, match=rf": audio\.m4a {MAX_PLAN_BYTES}, "):
        check_frozen_size(plan_dir)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert most < 4 << 20
    assert not (tmp_path / "new").exists()
