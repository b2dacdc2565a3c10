"""The chunks of a plan: one drawn here, the others by containers of their own, and all brought together."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

from ethereal import log
from ethereal.beat import Beat
from ethereal.cloud.links import fetch, put
from ethereal.cloud.machine import Machine
from ethereal.cloud.reporter import Reporter
from ethereal.dispatch.messages import Brief, ChunkDone, ChunkOrder
from ethereal.errors import CallLostError, EtherealError, error_named, is_worth_another
from ethereal.pipeline.plan_cache import pack_plan
from ethereal.pipeline.progress import DRAWING_FROM, DRAWING_TO
from ethereal.render.chunk import render_chunk
from ethereal.render.plan import Plan
from ethereal.render.warm import WarmRenderer
from ethereal.whole import sha256_of

logger = logging.getLogger(__name__)

_LOOK_SECONDS = 0.5
_TRIES = 2  # of a chunk, when another container or a fresh browser may do better


@dataclass(frozen=True)
class Chunks:
    """The files of a plan's chunks, and the seconds that other containers were at work for them."""

    files: Sequence[Path]
    seconds_elsewhere: float = 0.0


def draw_chunks(
    plan: Plan, brief: Brief, machine: Machine, reporter: Reporter, warm: WarmRenderer, folder: Path
) -> Chunks:
    """Have all chunks drawn, the first one here; what comes damaged is drawn here.

    Raise what drawing raises, here or elsewhere, CallLostError where containers do not answer, and
    LeaseLostError once the attempt is over.
    """
    here = _Here(plan, machine, warm, folder, reporter.beat("rendering", DRAWING_FROM, DRAWING_TO))
    if len(plan.chunks) == 1:
        return Chunks([here.draw(0)])
    orders = _orders(plan, brief, machine, folder)
    done = _draw_apart(here, orders)
    for chunk in done:
        _bring(brief, here, chunk)
    files = [here.file(chunk.index) for chunk in plan.chunks]
    return Chunks(files, sum(chunk.seconds for chunk in done))


@dataclass
class _Here:
    """Drawing in this container; `drawn` counts the frames of all chunks, here and elsewhere."""

    plan: Plan
    machine: Machine
    warm: WarmRenderer
    folder: Path
    beat: Beat
    drawn: dict[int, int] = field(default_factory=dict)

    def file(self, index: int) -> Path:
        return self.folder / "chunks" / self.plan.chunks[index].name

    def draw(self, index: int) -> Path:
        """Draw a chunk; once more where a fresh browser may do better: with the call all others' would go."""
        try:
            return self._draw(index)
        except EtherealError as error:
            if not is_worth_another(error, tries=1, most=_TRIES):
                raise
            logger.warning("chunk %d is drawn again here: %s: %s", index, error.code, error)
            return self._draw(index)

    def _draw(self, index: int) -> Path:
        count = self.plan.chunks[index].frame_count

        def tell(fraction: float) -> None:
            self.drawn[index] = round(fraction * count)
            self.pulse()

        render_chunk(
            self.folder / "plan",
            index,
            self.file(index),
            open_renderer=self.warm,
            encoders=self.machine.encoders,
            beat=tell,
        )
        return self.file(index)

    def pulse(self) -> None:
        self.beat(sum(list(self.drawn.values())) / self.plan.frame_count)


def _orders(plan: Plan, brief: Brief, machine: Machine, folder: Path) -> list[ChunkOrder]:
    """Put the plan where all find it, and ask for every chunk but the first."""
    put(brief.plan.put, pack_plan(folder / "plan", folder / "plan.tar"), patience=machine.patience)
    return [
        ChunkOrder(
            plan_url=brief.plan.get,
            plan_hash=plan.plan_hash,
            index=chunk.index,
            put=brief.chunks[chunk.index].put,
            job_id=log.bound().get("jobId", ""),
            request_id=log.bound().get("requestId", ""),
        )
        for chunk in plan.chunks[1:]
    ]


def _draw_apart(here: _Here, orders: Sequence[ChunkOrder]) -> list[ChunkDone]:
    """Draw the first chunk while others draw the rest; the pulse goes on until the last is done."""
    stop = Event()

    def tell(index: int) -> None:
        here.drawn[index] = here.plan.chunks[index].frame_count

    pool = ThreadPoolExecutor(1, thread_name_prefix="fan-out")
    try:
        elsewhere = pool.submit(_follow, here.machine, orders, tell, stop)
        here.draw(0)
        while not wait({elsewhere}, _LOOK_SECONDS).done:
            here.pulse()
        return elsewhere.result()
    finally:
        stop.set()
        pool.shutdown(wait=False)


def _follow(
    machine: Machine, orders: Sequence[ChunkOrder], tell: Callable[[int], None], stop: Event
) -> list[ChunkDone]:
    """Have the chunks drawn elsewhere; a chunk in trouble is tried once more where that can help."""
    done: dict[int, ChunkDone] = {}
    for tries in range(1, _TRIES + 1):
        waiting = [order for order in orders if order.index not in done]
        for chunk in machine.fan_out(waiting) if waiting else ():
            if stop.is_set():
                return []
            if chunk.trouble is None:
                done[chunk.index] = chunk
                tell(chunk.index)
                continue
            error = error_named(chunk.trouble.code)(chunk.trouble.message)
            if not is_worth_another(error, tries=tries, most=_TRIES):
                raise error
            logger.warning("chunk %d is drawn again: %s: %s", chunk.index, error.code, error)
    if len(done) < len(orders):
        raise CallLostError(f"{len(orders) - len(done)} chunks were given no answer to")
    return list(done.values())


def _bring(brief: Brief, here: _Here, chunk: ChunkDone) -> None:
    url, target = brief.chunks[chunk.index].get, here.file(chunk.index)
    path = fetch(url, target, patience=here.machine.patience, beat=lambda _: here.pulse())
    if sha256_of(path) != chunk.sha256:
        logger.warning("chunk %d came damaged and is drawn here", chunk.index)
        here.draw(chunk.index)
