"""Render a whole video on this machine: plan it, draw its chunks here or in worker processes, assemble it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal, TypeAlias

from ethereal.beat import Beat
from ethereal.errors import EtherealError, is_worth_another
from ethereal.render.assemble import VideoResult, assemble
from ethereal.render.chunk import DEFAULT_ENCODERS, render_chunk
from ethereal.render.chunks import Chunk
from ethereal.render.local_farm import draw_chunks
from ethereal.render.local_worker import WorkerStart
from ethereal.render.plan import Plan, PlanRequest
from ethereal.render.renderer import OpenRenderer
from ethereal.render.warm import WarmRenderer
from ethereal.whole import scratch_beside

Stage: TypeAlias = Literal["planning", "drawing", "assembling"]


@dataclass(frozen=True)
class LocalProgress:
    """How far a local render is: `fraction` of its stage, and frames drawn of all."""

    stage: Stage
    fraction: float
    frames_drawn: int
    frame_count: int


Tell: TypeAlias = Callable[[LocalProgress], None]


def render_locally(
    request: PlanRequest,
    output: Path,
    *,
    open_renderer: OpenRenderer,
    open_first: OpenRenderer | None = None,
    workers: int = 1,
    encoders: int = DEFAULT_ENCODERS,
    tell: Tell = lambda progress: None,
) -> VideoResult:
    """Render `request` to `output`, whole or not at all.

    One worker is this process, which draws with the renderer that planned; more are processes of their own,
    which die with this one and take the picklable `open_renderer`; `open_first`, if any, opens what plans.
    `tell` is called often and may raise to stop. A chunk whose process or browser died is drawn once more,
    in a process of its own. Raise what planning, drawing and assembling raise.
    """
    count = request.frame_count
    with scratch_beside(output) as folder:
        plan_dir, chunk_dir = folder / "plan", folder / "chunks"
        start, drawing = WorkerStart(plan_dir, open_renderer, encoders), _drawing(count, tell)
        with WarmRenderer(open_first or open_renderer) as warm:
            beat = _stage("planning", 0, count, tell)
            plan = warm.make_plan(_dealt(request, workers), plan_dir, beat=beat)
            files = _draw_here(plan, chunk_dir, start, warm, drawing) if workers == 1 else None
        files = files or draw_chunks(plan, chunk_dir, start, workers=workers, tell=drawing)
        return assemble(plan_dir, files, output, beat=_stage("assembling", count, count, tell))


def _draw_here(
    plan: Plan, directory: Path, start: WorkerStart, warm: WarmRenderer, tell: Callable[[int], None]
) -> list[Path] | None:
    """Draw the chunks in this process; None when a fresh browser may do better than this one did."""
    try:
        for chunk in plan.chunks:
            render_chunk(
                start.plan_dir,
                chunk.index,
                directory / chunk.name,
                open_renderer=warm.last if chunk is plan.chunks[-1] else warm,
                encoders=start.encoders,
                beat=partial(_tell_of, chunk, tell),
            )
    except EtherealError as error:
        if not is_worth_another(error, tries=1, most=2):
            raise
        return None
    return [directory / chunk.name for chunk in plan.chunks]


def _tell_of(chunk: Chunk, tell: Callable[[int], None], fraction: float) -> None:
    tell(chunk.start_frame + round(fraction * chunk.frame_count))


def _dealt(request: PlanRequest, workers: int) -> PlanRequest:
    """A chunk for each worker is best here: the end of a chunk leaves cores idle, and no host is slow."""
    return replace(request, chunk_count=request.chunk_count or workers)


def _stage(stage: Stage, drawn: int, count: int, tell: Tell) -> Beat:
    return lambda fraction: tell(LocalProgress(stage, fraction, drawn, count))


def _drawing(count: int, tell: Tell) -> Callable[[int], None]:
    return lambda drawn: tell(LocalProgress("drawing", drawn / count, drawn, count))
