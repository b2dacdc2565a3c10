"""A worker process of a local render: draws the chunks it is told, one after another, with one browser.

Reads a WorkerStart and then ChunkTasks on standard input; answers each with Drawn messages and a ChunkResult
or the error. Ends when its input does.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TypeAlias

from ethereal.errors import EtherealError
from ethereal.render.chunk import ChunkResult, render_chunk
from ethereal.render.plan import load_plan
from ethereal.render.renderer import OpenRenderer
from ethereal.render.warm import WarmRenderer


@dataclass(frozen=True)
class WorkerStart:
    """What a worker keeps; `open_renderer` must be picklable."""

    plan_dir: Path
    open_renderer: OpenRenderer
    encoders: int


@dataclass(frozen=True)
class ChunkTask:
    """Render a chunk to `output`."""

    index: int
    output: Path


@dataclass(frozen=True)
class Drawn:
    """So many frames of the chunk are drawn."""

    frames: int


Answer: TypeAlias = Drawn | ChunkResult | EtherealError


def serve(tasks: Connection, answers: Connection) -> None:
    """Answer tasks until there are no more."""
    start: WorkerStart = tasks.recv()
    with WarmRenderer(start.open_renderer) as warm:
        while True:
            try:
                task: ChunkTask = tasks.recv()
            except EOFError:
                return
            answers.send(_answer(task, start, warm, answers))


def _answer(task: ChunkTask, start: WorkerStart, warm: WarmRenderer, answers: Connection) -> Answer:
    frames = load_plan(start.plan_dir).chunk(task.index).frame_count
    try:
        return render_chunk(
            start.plan_dir,
            task.index,
            task.output,
            open_renderer=warm,
            encoders=start.encoders,
            beat=lambda fraction: answers.send(Drawn(round(fraction * frames))),
        )
    except EtherealError as error:
        return error


def main() -> None:
    """Serve on standard input and output, and keep both from everything else that runs here."""
    tasks, answers = Connection(os.dup(0), writable=False), Connection(os.dup(1), readable=False)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    serve(tasks, answers)
