"""Render a whole video on this machine: plan it, draw its chunks in worker processes, assemble it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, TypeAlias

from ethereal.beat import Beat
from ethereal.render.assemble import VideoResult, assemble
from ethereal.render.chunk import DEFAULT_ENCODERS
from ethereal.render.local_farm import draw_chunks
from ethereal.render.local_worker import WorkerStart
from ethereal.render.plan import PlanRequest, make_plan
from ethereal.render.renderer import OpenRenderer

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
    workers: int = 1,
    encoders: int = DEFAULT_ENCODERS,
    tell: Tell = lambda progress: None,
) -> VideoResult:
    """Render `request` to `output`, whole or not at all, with `workers` processes that die with this one.

    `open_renderer` must be picklable. `tell` is called often and may raise to stop. A chunk whose process or
    browser died is drawn once more. Raise what planning, drawing and assembling raise.
    """
    count = request.frame_count
    output.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{output.name}.", dir=output.parent) as folder:
        plan_dir, chunk_dir = Path(folder) / "plan", Path(folder) / "chunks"
        plan = make_plan(
            _dealt(request, workers),
            plan_dir,
            open_renderer=open_renderer,
            beat=_stage("planning", 0, count, tell),
        )
        start = WorkerStart(plan_dir, open_renderer, encoders)
        files = draw_chunks(plan, chunk_dir, start, workers=workers, tell=_drawing(count, tell))
        return assemble(plan_dir, files, output, beat=_stage("assembling", count, count, tell))


def _dealt(request: PlanRequest, workers: int) -> PlanRequest:
    """A chunk for each worker is best here: the end of a chunk leaves cores idle, and no host is slow."""
    return replace(request, chunk_count=request.chunk_count or workers)


def _stage(stage: Stage, drawn: int, count: int, tell: Tell) -> Beat:
    return lambda fraction: tell(LocalProgress(stage, fraction, drawn, count))


def _drawing(count: int, tell: Tell) -> Callable[[int], None]:
    return lambda drawn: tell(LocalProgress("drawing", drawn / count, drawn, count))
