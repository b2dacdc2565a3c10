"""Render parts of a delivered video again, here, and compare them byte for byte."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from ethereal.beat import Beat, no_beat
from ethereal.errors import InvalidInputError
from ethereal.render.canary import check_libraries, prove
from ethereal.render.chunk import DEFAULT_ENCODERS, write_gops
from ethereal.render.chunks import Chunk
from ethereal.render.film import open_film
from ethereal.render.gop_encoders import GopTimes
from ethereal.render.plan import load_plan
from ethereal.render.plan_record import Plan
from ethereal.render.renderer import OpenRenderer


@dataclass(frozen=True)
class GopCheck:
    """A GOP of a delivered video beside the same one made here; sizes are bytes of its coded pictures."""

    gop: int
    frames: range
    size_bytes: int
    size_here: int
    is_equal: bool


def compare_gops(
    plan_dir: Path,
    video: Path,
    gops: Sequence[int],
    *,
    open_renderer: OpenRenderer,
    encoders: int = DEFAULT_ENCODERS,
    beat: Beat = no_beat,
) -> list[GopCheck]:
    """Make `gops` of the plan at `plan_dir` here and compare each with its bytes in `video`.

    Raise InvalidInputError for a GOP that the plan does not have or a video that lacks frames, and what
    `render_chunk` raises.
    """
    plan = load_plan(plan_dir)
    _check(plan, video, gops)
    check_libraries(plan)
    with TemporaryDirectory() as scratch, open_renderer(plan_dir) as renderer:
        proven, again = prove(renderer, plan), Path(scratch) / "again"
        checks = []
        for place, gop in enumerate(gops):
            chunk, times = Chunk(0, gop, (plan.gops[gop],)), GopTimes()
            part = _part(place, len(gops), beat)
            write_gops(plan, chunk, again, renderer=proven, encoders=encoders, beat=part, times=times)
            here = _coded(again, range(chunk.frame_count))
            checks.append(_compare(gop, plan.gops[gop], _coded(video, plan.gops[gop]), here))
    return checks


def _compare(gop: int, frames: range, there: list[bytes], here: list[bytes]) -> GopCheck:
    return GopCheck(gop, frames, sum(map(len, there)), sum(map(len, here)), there == here)


def _check(plan: Plan, video: Path, gops: Sequence[int]) -> None:
    strangers = [gop for gop in gops if gop not in range(len(plan.gops))]
    if strangers:
        raise InvalidInputError(f"the plan has GOPs 0 to {len(plan.gops) - 1}, not {strangers}")
    with open_film(video) as film:
        if film.frame_count != plan.frame_count:
            raise InvalidInputError(f"the video has {film.frame_count} frames, the plan {plan.frame_count}")


def _coded(video: Path, gop: range) -> list[bytes]:
    with open_film(video) as film:
        return film.coded(gop)


def _part(place: int, count: int, beat: Beat) -> Beat:
    return lambda fraction: beat((place + fraction) / count)
