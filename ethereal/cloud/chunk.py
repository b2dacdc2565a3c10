"""One chunk, drawn by a container of its own and put where its plan's maker finds it."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from ethereal.cloud.links import fetch, put
from ethereal.cloud.machine import Machine
from ethereal.dispatch.messages import ChunkDone, ChunkOrder, Trouble
from ethereal.errors import EtherealError, PlanHashMismatchError
from ethereal.pipeline.plan_cache import unpack_plan
from ethereal.render.chunk import render_chunk
from ethereal.render.plan import load_plan


def draw_chunk(order: ChunkOrder, machine: Machine) -> ChunkDone:
    """Draw and put a chunk. Errors of ours are told, not raised: the plan's maker decides what follows."""
    started = time.monotonic()
    machine.scratch.mkdir(parents=True, exist_ok=True)
    try:
        with TemporaryDirectory(dir=machine.scratch) as folder:
            plan_dir = _ensure_plan(order, machine)
            drawn = render_chunk(
                plan_dir,
                order.index,
                Path(folder) / "chunk",
                open_renderer=machine.open_renderer,
                encoders=machine.encoders,
            )
            put(order.put, Path(folder) / "chunk", patience=machine.patience)
    except EtherealError as error:
        return ChunkDone(index=order.index, trouble=Trouble(code=error.code, message=str(error)[:4000]))
    return ChunkDone(index=order.index, sha256=drawn.sha256, seconds=time.monotonic() - started)


def _ensure_plan(order: ChunkOrder, machine: Machine) -> Path:
    """The plan on this container, which may draw several of its chunks; verified by its hash."""
    kept = machine.scratch / "plan" / order.plan_hash
    if not kept.is_dir():
        shutil.rmtree(kept.parent, ignore_errors=True)  # a container draws for one plan at a time
        archive = fetch(order.plan_url, machine.scratch / "plan" / "plan.tar", patience=machine.patience)
        unpack_plan(archive, kept.with_suffix(".new")).rename(kept)
    if load_plan(kept).plan_hash != order.plan_hash:
        shutil.rmtree(kept, ignore_errors=True)
        raise PlanHashMismatchError(f"plan {order.plan_hash} was asked for, and another one came")
    return kept
