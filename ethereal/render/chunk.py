"""Render one chunk of a plan to a file, which appears whole or not at all."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from ethereal.beat import Beat, no_beat
from ethereal.render.canary import ProvenRenderer, check_libraries, prove
from ethereal.render.chunk_file import ChunkSeal, write_chunk
from ethereal.render.chunks import Chunk
from ethereal.render.gop_encoders import GopTimes, encode_gops
from ethereal.render.plan import load_plan
from ethereal.render.plan_record import Plan
from ethereal.render.renderer import OpenRenderer
from ethereal.render.whole import whole_file

DEFAULT_ENCODERS = 2


@dataclass(frozen=True)
class ChunkResult:
    """A rendered chunk; `sha256` names the bytes of its file.

    `timings` are seconds: `boot` until the renderer is proven, `capture` waiting for frames, `encode` of CPU.
    """

    index: int
    first_gop: int
    gop_count: int
    frame_count: int
    sha256: str
    size_bytes: int
    timings: Mapping[str, float]


def render_chunk(
    plan_dir: Path,
    index: int,
    output: Path,
    *,
    open_renderer: OpenRenderer,
    encoders: int = DEFAULT_ENCODERS,
    beat: Beat = no_beat,
) -> ChunkResult:
    """Render chunk `index` of the plan at `plan_dir` to `output`.

    Safe to run twice at once: each run has its own directory and the last rename wins with equal bytes.
    `encoders` GOPs are encoded at a time, a core each. A WarmRenderer keeps one browser for many chunks.
    Raise what is wrong with the plan, ChunkIndexError, EncoderMismatchError or RendererMismatchError before
    anything is drawn; then what the renderer raises, and OutOfDiskError.
    """
    plan = load_plan(plan_dir)
    chunk = plan.chunk(index)
    check_libraries(plan)
    started, times = time.monotonic(), GopTimes()
    with whole_file(output) as partial, open_renderer(plan_dir) as renderer:
        proven = prove(renderer, plan)
        boot = time.monotonic() - started
        sha256 = write_gops(plan, chunk, partial, renderer=proven, encoders=encoders, beat=beat, times=times)
        size = partial.stat().st_size
    return ChunkResult(
        index=index,
        first_gop=chunk.first_gop,
        gop_count=chunk.gop_count,
        frame_count=chunk.frame_count,
        sha256=sha256,
        size_bytes=size,
        timings={"boot": boot, "capture": times.draw_seconds, "encode": times.encode_seconds},
    )


def write_gops(
    plan: Plan,
    chunk: Chunk,
    output: Path,
    *,
    renderer: ProvenRenderer,
    encoders: int,
    beat: Beat,
    times: GopTimes,
) -> str:
    """Draw and encode the GOPs of `chunk` to `output`, return its sha256; an error leaves half a file."""
    gops = encode_gops(
        renderer.draw,
        chunk.gops,
        plan.encoder,
        encoders=encoders,
        beat=lambda drawn: beat(drawn / chunk.frame_count),
        times=times,
    )
    seal = ChunkSeal(plan.plan_hash, chunk.first_gop, chunk.gop_count, chunk.frame_count)
    with closing(gops):
        return write_chunk(output, gops, plan.encoder, seal)
