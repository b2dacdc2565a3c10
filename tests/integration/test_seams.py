"""No seam shows where chunks and GOPs meet: frames change there as much as they do elsewhere.

The flame burns to steady music, so that whatever jumps at a boundary is a seam. What is drawn must have no
excess at all. A key frame is coded afresh, with its own rounding of every block, where the frames before it
carry theirs on: that pulse is held under half a step of luma, on top of what the picture itself changes by.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
import pytest
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from ethereal.audio.features import FEATURE_NAMES, Features, save_features
from ethereal.render.assemble import assemble
from ethereal.render.capture import open_chromium_renderer
from ethereal.render.chunk import render_chunk
from ethereal.render.encode import to_video_range
from ethereal.render.pixels import pixels_of
from ethereal.render.plan import make_plan
from ethereal.render.plan_record import Plan
from ethereal.render.warm import WarmRenderer
from tests.render_fakes import FPS, make_request

WIDTH, HEIGHT, FRAMES = 320, 180, 384
BLOCK = 8
NEAR = 8  # frames on each side that a change is compared with
DRAWS = 20_000
CHANCE = 0.001  # that a picture without seams fails
PULSE = 0.5  # steps of luma, of 219

Changes = NDArray[np.float64]
Lumas = list[NDArray[np.float32]]


@dataclass(frozen=True)
class Burnt:
    """A video, its frames as they were drawn in one go, and as a player shows them: luma, limited range."""

    plan_dir: Path
    plan: Plan
    raw: list[bytes]
    drawn: Lumas
    shown: Lumas


@pytest.fixture(scope="module")
def burnt(tmp_path_factory: pytest.TempPathFactory) -> Burnt:
    folder = tmp_path_factory.mktemp("seams")
    request = make_request(
        folder / "in", frame_count=FRAMES, size=(WIDTH, HEIGHT), chunk_count=4, quality="standard"
    )
    steady = np.full((FRAMES, len(FEATURE_NAMES)), 0.5, np.float32)
    save_features(Features(FEATURE_NAMES, FPS, FRAMES, steady, 120.0, 1.0), request.features_dir)
    request = replace(request, composition=replace(request.composition, scene="flame", parameters={}))
    plan = make_plan(request, folder / "plan", open_renderer=open_chromium_renderer)
    files = [folder / chunk.name for chunk in plan.chunks]
    with WarmRenderer(open_chromium_renderer) as warm:
        for chunk, file in zip(plan.chunks, files, strict=True):
            render_chunk(folder / "plan", chunk.index, file, open_renderer=warm)
        with warm(folder / "plan") as renderer:
            raw = [bytes(view) for view in renderer.draw(range(FRAMES))]
    video = assemble(folder / "plan", files, folder / "video.mp4").path
    return Burnt(folder / "plan", plan, raw, lumas_of(raw), shown_in(video))


def lumas_of(raw: list[bytes]) -> Lumas:
    reformatter = VideoReformatter()
    pictures = (pixels_of(memoryview(frame), WIDTH, HEIGHT) for frame in raw)
    return [luma(to_video_range(picture.copy(), reformatter, "yuv420p")) for picture in pictures]


def shown_in(video: Path) -> Lumas:
    with av.open(str(video)) as container:
        return [luma(frame) for frame in container.decode(video=0)]


def luma(frame: av.VideoFrame) -> NDArray[np.float32]:
    return cast(NDArray[Any], frame.to_ndarray())[:HEIGHT].astype(np.float32)


def changes(lumas: Lumas) -> Changes:
    """How much each frame differs from the one before it, in steps of luma; the first one has none before."""
    return np.array([np.nan, *(np.abs(after - before).mean() for before, after in pairwise(lumas))])


def without_dither(lumas: Lumas) -> Lumas:
    """The means of blocks: dither changes from frame to frame more than the picture does."""
    down, across = HEIGHT // BLOCK, WIDTH // BLOCK
    cropped = (frame[: down * BLOCK, : across * BLOCK] for frame in lumas)
    return [frame.reshape(down, BLOCK, across, BLOCK).mean((1, 3)) for frame in cropped]


def excess(change: Changes, frames: list[int]) -> tuple[float, float]:
    """By what factor `frames` change more than their neighbours, and how likely chance makes it so.

    Each change is divided by the median of those around it, so that a livelier passage counts no more than a
    calm one. The chance is that of as many frames, drawn at random from the others, with as large a median.
    """
    ratios = {
        frame: change[frame] / np.median(around(change, frame)) for frame in range(1 + NEAR, FRAMES - NEAR)
    }
    found = float(np.median([ratios[frame] for frame in frames]))
    others = np.array([ratio for frame, ratio in ratios.items() if frame not in frames])
    random = np.random.default_rng(1).choice(others, (DRAWS, len(frames)))
    return found, float((np.median(random, axis=1) >= found).mean())


def around(change: Changes, frame: int) -> Changes:
    return np.r_[change[frame - NEAR : frame], change[frame + 1 : frame + 1 + NEAR]]


def gop_starts(plan: Plan) -> list[int]:
    return [gop.start for gop in plan.gops[1:]]


def test_nothing_jumps_in_what_is_drawn_where_gops_meet(burnt: Burnt) -> None:
    factor, chance = excess(changes(without_dither(burnt.drawn)), gop_starts(burnt.plan))

    assert chance > CHANCE, f"{factor:.3f} times the change of the frames around"


def test_nothing_jumps_in_what_is_drawn_where_chunks_meet(burnt: Burnt) -> None:
    starts = [chunk.start_frame for chunk in burnt.plan.chunks[1:]]

    factor, chance = excess(changes(without_dither(burnt.drawn)), starts)

    assert chance > CHANCE, f"{factor:.3f} times the change of the frames around"


def test_a_skipped_frame_would_be_found(burnt: Burnt) -> None:
    """The line is sharp enough: a chunk that is one frame off is a seam."""
    torn = list(burnt.drawn)
    for start in gop_starts(burnt.plan):
        torn[start:] = torn[start + 1 :] + torn[-1:]

    factor, chance = excess(changes(without_dither(torn)), gop_starts(burnt.plan))

    assert chance < CHANCE, f"{factor:.3f} times the change of the frames around"


def test_a_player_shows_no_more_of_a_boundary_than_the_pulse_of_a_key_frame(burnt: Burnt) -> None:
    starts = gop_starts(burnt.plan)

    pulse = np.median(changes(burnt.shown)[starts] - changes(burnt.drawn)[starts])

    assert pulse < PULSE


def test_where_chunks_meet_a_player_shows_no_more_than_where_gops_meet_within_one(burnt: Burnt) -> None:
    shown = changes(burnt.shown)
    between = {chunk.start_frame for chunk in burnt.plan.chunks[1:]}
    within = [start for start in gop_starts(burnt.plan) if start not in between]

    # The tenth part is what such medians differ by with the passage; the bytes are the same however dealt.
    assert np.median(shown[sorted(between)]) < 1.1 * np.median(shown[within])


def test_the_first_frame_of_a_chunk_is_the_one_an_unbroken_run_draws(burnt: Burnt) -> None:
    for chunk in burnt.plan.chunks[1:]:
        with open_chromium_renderer(burnt.plan_dir) as renderer:
            alone = [bytes(view) for view in renderer.draw([chunk.start_frame])]

        assert alone == [burnt.raw[chunk.start_frame]]
