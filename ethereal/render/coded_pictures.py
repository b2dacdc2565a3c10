"""The coded pictures of chunks as one run, timed from the start of the video."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeAlias, cast

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from ethereal.beat import Beat
from ethereal.errors import ChunkCorruptError
from ethereal.render.coded_alpha import attach_alpha
from ethereal.render.container import open_video
from ethereal.render.plan_record import Plan

Packets: TypeAlias = Iterator["av.Packet[Any]"]
Placed: TypeAlias = tuple[Path, int]  # a chunk's file and its first frame

_SHARE = 0.9  # of the time that assembling takes, for its beat


def coded_pictures(chunks: Sequence[Placed], plan: Plan, beat: Beat) -> Packets:
    """Yield the packets of all chunks; raise ChunkCorruptError where one has other parameters."""
    frame, expected = 0, None
    for path, start in chunks:
        with open_video(path) as (container, stream):
            parameters = [_parameters(track) for track in container.streams.video]
            expected = expected or parameters
            if parameters != expected:
                raise ChunkCorruptError(f"{path.name} was encoded with other parameters", [path.name])
            shift = int(start / plan.composition.fps / cast(Fraction, stream.time_base))
            for packet in read_pictures(container):
                packet.pts, packet.dts = cast(int, packet.pts) + shift, cast(int, packet.dts) + shift
                yield packet
                frame += 1
                beat(_SHARE * frame / plan.frame_count)


def read_pictures(container: InputContainer) -> Packets:
    """Yield the packets of the picture from where `container` is, each with its alpha if that is apart."""
    if len(container.streams.video) == 1:
        yield from whole(container.demux(container.streams.video[0]))
        return
    packets = whole(container.demux(container.streams.video))
    for picture, alpha in zip(packets, packets, strict=True):
        if (picture.stream_index, alpha.stream_index, picture.pts) != (0, 1, alpha.pts):
            raise ChunkCorruptError("the alpha of a chunk is out of step with its pictures")
        attach_alpha(picture, bytes(alpha))
        yield picture


def whole(packets: Packets) -> Packets:
    """Leave out the last one, which is empty: no more to come."""
    return (packet for packet in packets if packet.dts is not None)


def _parameters(stream: VideoStream) -> tuple[object, ...]:
    context = stream.codec_context
    return context.extradata, context.width, context.height, context.pix_fmt, stream.time_base
