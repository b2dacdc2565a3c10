"""The key of a GOP: all that its pictures depend on is in it, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ethereal.audio.features import Features, save_features
from ethereal.render import gop_key
from ethereal.render.gop_key import GopKeys, make_gop_keys
from ethereal.render.plan import Plan, PlanRequest, make_plan
from ethereal.render.plan_record import Provenance
from tests.render_fakes import make_request, open_numpy

FRAMES, GOP = 200, 48
NAMES = ("rms", "bass", "centroid")
BEFORE, AFTER = 82, 3  # of the flame at 24 frames a second; it reads no centroid
DRIVER = "one kind"


def rows(frame_count: int = FRAMES) -> NDArray[np.float32]:
    values = np.random.default_rng(3).random((frame_count, len(NAMES)), np.float32)
    return values


def write(directory: Path, values: NDArray[np.float32], **facts: float) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    told = {"tempo": 120.0, "beat_confidence": 1.0, **facts}
    save_features(Features(NAMES, Fraction(24), len(values), values, **told), directory)
    return directory


def flame(folder: Path, values: NDArray[np.float32]) -> PlanRequest:
    request = make_request(folder)
    composition = replace(request.composition, scene="flame")
    return replace(
        request,
        composition=composition,
        features_dir=write(folder / "features", values),
        frame_count=len(values),
    )


def keys_of(plan: Plan, plan_dir: Path, fingerprint: str = DRIVER) -> GopKeys:
    keys = make_gop_keys(plan, plan_dir, fingerprint)
    assert keys is not None
    return keys


def planned(request: PlanRequest, folder: Path) -> tuple[Plan, Path]:
    return make_plan(request, folder / "plan", open_renderer=open_numpy), folder / "plan"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Plan, Path]:
    folder = tmp_path_factory.mktemp("plan")
    return planned(flame(folder / "in", rows()), folder)


@pytest.fixture(scope="module")
def keys(made: tuple[Plan, Path]) -> GopKeys:
    return keys_of(*made)


def changed(made: tuple[Plan, Path], values: NDArray[np.float32], **facts: float) -> GopKeys:
    """The keys when the features are others: the plan and its page stay."""
    plan, plan_dir = made
    before = {name: (plan_dir / name).read_bytes() for name in ("features.json", "features.f32")}
    try:
        write(plan_dir, values, **facts)
        return keys_of(plan, plan_dir)
    finally:
        for name, content in before.items():
            (plan_dir / name).write_bytes(content)


def test_each_gop_has_a_key_and_each_canary_frame_too(keys: GopKeys, made: tuple[Plan, Path]) -> None:
    plan, _ = made

    assert len(set(keys.gops)) == len(plan.gops) == 5
    assert tuple(keys.canary.values()) == plan.canary.pixels
    assert len({*keys.gops, *keys.canary}) == 9


@settings(max_examples=40, deadline=None)
@given(row=st.integers(0, FRAMES - 1), column=st.integers(0, len(NAMES) - 1))
def test_a_number_changes_the_keys_of_the_gops_from_which_it_is_seen_and_no_others(
    made: tuple[Plan, Path], keys: GopKeys, row: int, column: int
) -> None:
    values = rows()
    values[row, column] += 1

    found = changed(made, values).gops

    is_read = NAMES[column] != "centroid"
    seen = [is_read and gop.start - BEFORE <= row < gop.stop + AFTER for gop in made[0].gops]
    assert [one != other for one, other in zip(keys.gops, found, strict=True)] == seen


def test_what_is_told_of_the_whole_track_counts_only_for_scenes_that_read_it(
    made: tuple[Plan, Path], keys: GopKeys
) -> None:
    assert changed(made, rows(), tempo=90.0, beat_confidence=0.5) == keys

    _, plan_dir = made
    page = json.loads((plan_dir / "composition.json").read_bytes())
    content = json.dumps({**page, "reach": {**page["reach"], "whole": ["tempo"]}})
    kept = (plan_dir / "composition.json").read_bytes()
    (plan_dir / "composition.json").write_text(content)
    try:
        slow, fast = (changed(made, rows(), tempo=tempo).gops for tempo in (90.0, 120.0))
        confident = changed(made, rows(), tempo=120.0, beat_confidence=0.5).gops
    finally:
        (plan_dir / "composition.json").write_bytes(kept)
    assert not set(slow) & set(fast)
    assert confident == fast


def test_a_longer_video_keeps_the_keys_of_gops_that_did_not_see_its_end(
    keys: GopKeys, tmp_path: Path
) -> None:
    longer = np.concatenate([rows(), rows()[::-1]])

    found = keys_of(*planned(flame(tmp_path / "in", longer), tmp_path))

    assert found.gops[:4] == keys.gops[:4]
    assert found.gops[4] != keys.gops[4]
    assert len(found.gops) == 9


def test_equal_requests_have_equal_keys(keys: GopKeys, tmp_path: Path) -> None:
    assert keys_of(*planned(flame(tmp_path / "in", rows()), tmp_path)) == keys


@pytest.mark.parametrize(
    "change",
    [
        lambda request: replace(request, quality="high"),
        lambda request: replace(request, codec="hevc"),
        lambda request: replace(request, composition=replace(request.composition, seed=8)),
        lambda request: replace(request, composition=replace(request.composition, width=176)),
        lambda request: replace(request, composition=replace(request.composition, parameters={"tint": 1})),
        lambda request: replace(request, composition=replace(request.composition, scene="testcard")),
    ],
)
def test_another_request_shares_no_key(
    keys: GopKeys, tmp_path: Path, change: Callable[[PlanRequest], PlanRequest]
) -> None:
    found = keys_of(*planned(change(flame(tmp_path / "in", rows())), tmp_path))

    assert not {*found.gops, *found.canary} & {*keys.gops, *keys.canary}


def test_another_page_renderer_encoder_or_protocol_shares_no_key(
    made: tuple[Plan, Path], keys: GopKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, plan_dir = made
    found = [keys_of(plan, plan_dir, "another kind")]
    for told in (Provenance("gl", "1", "1"), replace(plan.made_with, package_version="9")):
        found.append(keys_of(replace(plan, made_with=told), plan_dir))
    for name in ("composition/runtime.js", "composition/flame/glsl/noise.js", "encoder.json"):
        content = (plan_dir / name).read_bytes()
        (plan_dir / name).write_bytes(content + b" ")
        found.append(keys_of(plan, plan_dir))
        (plan_dir / name).write_bytes(content)
    monkeypatch.setattr(gop_key, "PROTOCOL", gop_key.PROTOCOL + 1)
    found.append(keys_of(plan, plan_dir))

    assert len({key for one in (keys, *found) for key in one.gops}) == 5 * (1 + len(found))


def test_a_scene_that_declares_no_reach_has_no_keys(made: tuple[Plan, Path], tmp_path: Path) -> None:
    plan, plan_dir = planned(flame(tmp_path / "in", rows()), tmp_path)
    page = json.loads((plan_dir / "composition.json").read_bytes())
    del page["reach"]
    (plan_dir / "composition.json").write_text(json.dumps(page))

    assert make_gop_keys(plan, plan_dir, DRIVER) is None


def test_plans_disagree_when_one_picture_came_out_as_two(keys: GopKeys) -> None:
    frame, pixels = next(iter(keys.canary.items()))

    assert keys.agree(keys)
    assert keys.agree(GopKeys(keys.gops, {"a frame the other does not have": "0"}))
    assert not keys.agree(GopKeys(keys.gops, {**keys.canary, frame: pixels[::-1]}))
