"""What a farm of any width would make of measured work: a simulation of its queue of chunks.

Left out, for want of a farm to measure: the waits of a queue and of the job store, and workers that fail.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heapify, heapreplace
from math import ceil
from typing import Literal, TypeAlias

from ethereal.pipeline.chunk_objects import FETCHED_AT_ONCE
from ethereal.render.chunks import Chunk, choose_chunk_count, deal_chunks, gops_of

WIDTHS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000)

Limit: TypeAlias = Literal["listening", "planning", "drawing", "assembling"]


@dataclass(frozen=True)
class Work:
    """A video and what each part of it costs; seconds, bytes and bytes a second.

    `spread` holds how long chunks took against their frames' usual time, 1 being usual; they are gone through
    in turn. `boot` is until the first chunk of a worker begins, `begin` until each later one does.
    """

    frame_count: int
    gop_frames: int
    seconds_per_frame: float
    spread: tuple[float, ...]
    boot: float
    begin: float
    listen: float
    plan: float
    assemble: float
    frame_bytes: float
    plan_bytes: float
    transfer_rate: float
    transfer_delay: float

    @property
    def before(self) -> float:
        """From the sound to the first chunk in the queue."""
        return self.listen + self.plan + self.transfer(self.plan_bytes)

    def after(self, chunk_count: int) -> float:
        """From the last chunk to the finished video: one worker fetches all chunks, joins and uploads."""
        bytes_both_ways = 2 * self.frame_count * self.frame_bytes
        waits = ceil(chunk_count / FETCHED_AT_ONCE) + 1
        return self.assemble + bytes_both_ways / self.transfer_rate + waits * self.transfer_delay

    def transfer(self, count: float) -> float:
        return self.transfer_delay + count / self.transfer_rate

    def chunk(self, chunk: Chunk) -> float:
        """Seconds from its claim to its file in the object store, by a worker whose browser is open."""
        usual = chunk.frame_count * self.seconds_per_frame
        slowness = self.spread[chunk.index % len(self.spread)]
        return self.begin + usual * slowness + self.transfer(chunk.frame_count * self.frame_bytes)


@dataclass(frozen=True)
class Forecast:
    """A render by `workers`; seconds. `limit` names the part that takes most of `wall`.

    `speed_up` is against one worker that does everything, `efficiency` is that for each worker.
    """

    workers: int
    chunks: int
    wall: float
    before: float
    drawing: float
    after: float
    speed_up: float
    efficiency: float
    limit: Limit


def forecast(work: Work, widths: Sequence[int] = WIDTHS) -> list[Forecast]:
    """Simulate the render by farms of these widths, each with the chunks that a plan for it would have."""
    alone = wall_of(work, 1, chunk_count_for(work, 1))
    return [_forecast(work, width, alone) for width in widths]


def chunk_count_for(work: Work, width: int) -> int:
    """The chunks that a plan for a farm of `width` workers has."""
    return choose_chunk_count(
        gop_count=len(gops_of(work.frame_count, work.gop_frames)),
        frame_count=work.frame_count,
        seconds_per_frame=work.seconds_per_frame,
        width_of_farm=width,
    )


def wall_of(work: Work, width: int, chunk_count: int) -> float:
    """Seconds from the sound to the finished video."""
    return work.before + draw(work, width, chunk_count) + work.after(chunk_count)


def draw(work: Work, width: int, chunk_count: int) -> float:
    """Seconds until the last chunk is stored: whoever is free takes the next one of the queue."""
    chunks = deal_chunks(gops_of(work.frame_count, work.gop_frames), chunk_count)
    ready = work.boot + work.transfer(work.plan_bytes)
    free = [ready] * min(width, len(chunks))
    heapify(free)
    last = ready
    for chunk in chunks:
        ended = free[0] + work.chunk(chunk)
        heapreplace(free, ended)
        last = max(last, ended)
    return last


def _forecast(work: Work, width: int, alone: float) -> Forecast:
    chunk_count = chunk_count_for(work, width)
    drawing, after = draw(work, width, chunk_count), work.after(chunk_count)
    wall = work.before + drawing + after
    parts: dict[Limit, float] = {
        "drawing": drawing,
        "listening": work.listen,
        "planning": work.before - work.listen,
        "assembling": after,
    }
    return Forecast(
        workers=width,
        chunks=chunk_count,
        wall=wall,
        before=work.before,
        drawing=drawing,
        after=after,
        speed_up=alone / wall,
        efficiency=alone / wall / width,
        limit=max(parts, key=lambda part: parts[part]),
    )
