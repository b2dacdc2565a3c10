"""Join chunks and sound into the video: packets are copied, nothing is encoded again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from ethereal.beat import Beat, no_beat
from ethereal.errors import ChunkCorruptError, RenderError
from ethereal.render.chunk_file import ChunkSeal, read_seal
from ethereal.render.coded_pictures import Placed
from ethereal.render.finish import FINISHES
from ethereal.render.plan import load_plan
from ethereal.render.plan_record import Plan
from ethereal.whole import sha256_of, whole_file


@dataclass(frozen=True)
class VideoResult:
    """A finished video; `duration` is that of its picture, in seconds."""

    path: Path
    sha256: str
    size_bytes: int
    frames: int
    fps: Fraction
    width: int
    height: int
    duration: Fraction
    plan_hash: str


def assemble(
    plan_dir: Path, chunk_files: Sequence[Path], output: Path, *, beat: Beat = no_beat
) -> VideoResult:
    """Join `chunk_files`, in any order, and the plan's sound to `output`, whole or not at all.

    The chunks must cover the plan's GOPs, each once, however dealt. Raise ChunkCorruptError where they do
    not, or are damaged, and RenderError when the video did not come out as planned.
    """
    plan = load_plan(plan_dir)
    chunks = _in_order(chunk_files, plan)
    with whole_file(output) as partial:
        finish = FINISHES[plan.container]
        finish.join(plan, plan_dir, chunks, partial, beat)
        if wrong := list(finish.find_wrong(partial, plan)):
            raise RenderError(f"the finished video is wrong: {'; '.join(wrong)}")
        sha256, size = sha256_of(partial), partial.stat().st_size
    beat(1.0)
    composition = plan.composition
    return VideoResult(
        path=output,
        sha256=sha256,
        size_bytes=size,
        frames=plan.frame_count,
        fps=composition.fps,
        width=composition.width,
        height=composition.height,
        duration=plan.duration,
        plan_hash=plan.plan_hash,
    )


def _in_order(files: Iterable[Path], plan: Plan) -> list[Placed]:
    """Check that `files` are whole and cover the plan; return each with its first frame, in order."""
    sealed = sorted(((read_seal(path), path) for path in files), key=lambda pair: pair[0].first_gop)
    next_gop = 0
    for seal, path in sealed:
        _check_seal(seal, path, plan, next_gop)
        next_gop += seal.gop_count
    if next_gop != len(plan.gops):
        raise ChunkCorruptError(f"the chunks hold {next_gop} GOPs of {len(plan.gops)}")
    return [(path, plan.gops[seal.first_gop].start) for seal, path in sealed]


def _check_seal(seal: ChunkSeal, path: Path, plan: Plan, first_gop: int) -> None:
    gops = plan.gops[seal.first_gop : seal.first_gop + seal.gop_count]
    wrong = ""
    if seal.plan_hash != plan.plan_hash:
        wrong = f"belongs to plan {seal.plan_hash}, not {plan.plan_hash}"
    elif seal.first_gop != first_gop:
        wrong = f"starts at GOP {seal.first_gop}; GOP {first_gop} comes next"
    elif (len(gops), sum(map(len, gops))) != (seal.gop_count, seal.frame_count):
        wrong = f"holds {seal.frame_count} frames in {seal.gop_count} GOPs"
    if wrong:
        raise ChunkCorruptError(f"{path.name} {wrong}", [path.name])
