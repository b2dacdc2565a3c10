"""Render one chunk of a plan to a file, which appears whole or not at all."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from ethereal.beat import Beat, no_beat
from ethereal.render.canary import ProvenRenderer, check_libraries, prove
from ethereal.render.chunk_file import ChunkSeal, write_chunk
from ethereal.render.chunks import Chunk
from ethereal.render.drawn_gops import DrawnGops, check_headers, make_header, read_gop
from ethereal.render.encode import EncodedGop
from ethereal.render.gop_encoders import GopTimes, encode_gops
from ethereal.render.plan import load_plan
from ethereal.render.plan_record import Plan
from ethereal.render.renderer import OpenRenderer
from ethereal.whole import whole_file

DEFAULT_ENCODERS = 2
NONE_DRAWN: DrawnGops = MappingProxyType({})


@dataclass(frozen=True)
class ChunkResult:
    """A rendered chunk; `sha256` names the bytes of its file.

    `timings` are seconds: `boot` until the renderer is proven, `capture` waiting for frames, `encode` of CPU.
    `copied_frames` were drawn before, for another chunk.
    """

    index: int
    first_gop: int
    gop_count: int
    frame_count: int
    sha256: str
    size_bytes: int
    timings: Mapping[str, float]
    copied_frames: int = 0


def render_chunk(
    plan_dir: Path,
    index: int,
    output: Path,
    *,
    open_renderer: OpenRenderer,
    encoders: int = DEFAULT_ENCODERS,
    beat: Beat = no_beat,
    drawn: DrawnGops = NONE_DRAWN,
) -> ChunkResult:
    """Render chunk `index` of the plan at `plan_dir` to `output`.

    Safe to run twice at once: each run has its own directory and the last rename wins with equal bytes.
    `encoders` GOPs are encoded at a time, a core each. A WarmRenderer keeps one browser for many chunks.
    GOPs that are `drawn` are copied: the file is the same. Where all are, no renderer is opened.
    Raise what is wrong with the plan, ChunkIndexError, EncoderMismatchError or RendererMismatchError before
    anything is drawn; then what the renderer raises, ChunkCorruptError for `drawn`, and OutOfDiskError.
    """
    plan = load_plan(plan_dir)
    chunk = plan.chunk(index)
    check_libraries(plan)
    started, times = time.monotonic(), GopTimes()
    with whole_file(output) as partial, ExitStack() as opened:
        proven = None
        if _missing(chunk, drawn):
            proven = prove(opened.enter_context(open_renderer(plan_dir)), plan)
        boot = time.monotonic() - started
        sha256 = write_gops(
            plan, chunk, partial, renderer=proven, encoders=encoders, beat=beat, times=times, drawn=drawn
        )
        size = partial.stat().st_size
    return ChunkResult(
        index=index,
        first_gop=chunk.first_gop,
        gop_count=chunk.gop_count,
        frame_count=chunk.frame_count,
        sha256=sha256,
        size_bytes=size,
        timings={"boot": boot, "capture": times.draw_seconds, "encode": times.encode_seconds},
        copied_frames=_copied_frames(chunk, drawn),
    )


def write_gops(
    plan: Plan,
    chunk: Chunk,
    output: Path,
    *,
    renderer: ProvenRenderer | None,
    encoders: int,
    beat: Beat,
    times: GopTimes,
    drawn: DrawnGops = NONE_DRAWN,
) -> str:
    """Draw and encode the GOPs of `chunk` to `output`, return its sha256; an error leaves half a file.

    Without a renderer all must be `drawn`.
    """
    copied = _copied_frames(chunk, drawn)
    seal = ChunkSeal(plan.plan_hash, chunk.first_gop, chunk.gop_count, chunk.frame_count)
    fresh = _no_gops()
    if renderer:
        fresh = encode_gops(
            renderer.draw,
            _missing(chunk, drawn),
            plan.encoder,
            encoders=encoders,
            beat=lambda done: beat((copied + done) / chunk.frame_count),
            times=times,
        )
    with closing(fresh):
        sha256 = write_chunk(output, _in_order(plan, chunk, fresh, drawn), plan.encoder, seal)
    check_headers(output, drawn.values())
    return sha256


def _no_gops() -> Generator[EncodedGop, None, None]:
    yield from ()


def _missing(chunk: Chunk, drawn: DrawnGops) -> list[range]:
    return [gop for number, gop in chunk.numbered if number not in drawn]


def _copied_frames(chunk: Chunk, drawn: DrawnGops) -> int:
    return sum(len(gop) for number, gop in chunk.numbered if number in drawn)


def _in_order(
    plan: Plan, chunk: Chunk, fresh: Iterator[EncodedGop], drawn: DrawnGops
) -> Iterator[EncodedGop]:
    """Take each GOP of `chunk` from where it comes from."""
    header = make_header(plan.encoder) if drawn else b""
    for number, gop in chunk.numbered:
        yield read_gop(drawn[number], len(gop), plan.encoder, header) if number in drawn else next(fresh)
