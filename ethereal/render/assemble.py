"""Join chunks and sound into the video: packets are copied, nothing is encoded again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from heapq import merge
from pathlib import Path
from typing import Any, TypeAlias, cast

import av
from av.stream import Stream
from av.video.stream import VideoStream

from ethereal.beat import Beat, no_beat
from ethereal.errors import ChunkCorruptError
from ethereal.render.chunk_file import ChunkSeal, read_seal
from ethereal.render.container import open_mp4, open_video
from ethereal.render.mp4_check import check_video
from ethereal.render.plan import load_plan
from ethereal.render.plan_comment import plan_comment
from ethereal.render.plan_files import AUDIO_FILE
from ethereal.render.plan_record import Plan
from ethereal.render.whole import whole_file

Packets: TypeAlias = Iterator["av.Packet[Any]"]
Placed: TypeAlias = tuple[Path, int]  # a chunk's file and its first frame

_MUXING_SHARE = 0.9  # of the time that assembling takes, for its beat


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
    comment = plan_comment(plan.plan_hash)
    with whole_file(output) as partial:
        _mux(plan, plan_dir, chunks, partial, comment, beat)
        check_video(partial, plan, comment)
        with partial.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        size = partial.stat().st_size
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


def _mux(
    plan: Plan, plan_dir: Path, chunks: Sequence[Placed], output: Path, comment: str, beat: Beat
) -> None:
    with ExitStack() as files:
        _, first = files.enter_context(open_video(chunks[0][0]))
        sound = files.enter_context(av.open(str(plan_dir / AUDIO_FILE))) if plan.has_audio else None
        video = files.enter_context(open_mp4(output, faststart=True, metadata={"comment": comment}))
        picture_track = video.add_stream_from_template(first, opaque=True)
        packets = [_onto(picture_track, _pictures(chunks, first, plan, beat))]
        if sound is not None:
            sound_track = video.add_stream_from_template(sound.streams.audio[0])
            packets.append(_onto(sound_track, sound.demux(sound.streams.audio[0])))
        for packet in merge(*packets, key=_decoding_time):
            video.mux(packet)


def _pictures(chunks: Sequence[Placed], first: VideoStream, plan: Plan, beat: Beat) -> Packets:
    """Yield the packets of all chunks, timed from the start of the video."""
    frame = 0
    for path, start in chunks:
        with open_video(path) as (container, stream):
            if _parameters(stream) != _parameters(first):
                raise ChunkCorruptError(f"{path.name} was encoded with other parameters", [path.name])
            shift = int(start / plan.composition.fps / cast(Fraction, stream.time_base))
            for packet in _whole(container.demux(stream)):
                packet.pts, packet.dts = cast(int, packet.pts) + shift, cast(int, packet.dts) + shift
                yield packet
                frame += 1
                beat(_MUXING_SHARE * frame / plan.frame_count)


def _onto(track: Stream, packets: Packets) -> Packets:
    for packet in _whole(packets):
        packet.stream = track
        yield packet


def _whole(packets: Packets) -> Packets:
    return (packet for packet in packets if packet.dts is not None)  # the last one is empty: no more to come


def _decoding_time(packet: av.Packet[Any]) -> Fraction:
    return cast(int, packet.dts) * packet.time_base


def _parameters(stream: VideoStream) -> tuple[object, ...]:
    context = stream.codec_context
    return context.extradata, context.width, context.height, context.pix_fmt, stream.time_base
