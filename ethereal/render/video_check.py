"""Look at a finished video as a player would, before anyone is given it; each check yields what is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
from av.container import InputContainer
from av.stream import Stream
from av.video.format import VideoFormat
from av.video.stream import VideoStream

from ethereal.render.boxes import read_boxes
from ethereal.render.coded_alpha import alpha_of
from ethereal.render.coded_pictures import whole
from ethereal.render.container import open_video
from ethereal.render.containers import get_container
from ethereal.render.encode import BT709, LIMITED
from ethereal.render.formats import Projection
from ethereal.render.plan_comment import plan_comment
from ethereal.render.plan_record import Plan
from ethereal.render.sphere_boxes import read_sphere

_FASTSTART = [b"ftyp", b"moov", b"mdat"]
_MILLISECOND = Fraction(1, 1000)  # what Matroska rounds to


def wrong_in_mp4(path: Path, plan: Plan) -> Iterator[str]:
    """Look at an MP4 or a MOV."""
    order = [box.kind for box in read_boxes(path) if box.kind in _FASTSTART]
    if order != _FASTSTART:
        yield f"its parts are in the order {order}"
    yield from _wrong_directions(path, plan.composition.projection)
    with open_video(path) as (container, video):
        yield from _wrong_container(container, video, plan)
        yield from _wrong_frames([entry.is_keyframe for entry in video.index_entries], plan)
        if (video.start_time, _length(video)) != (0, plan.duration):
            yield f"its picture lasts {_length(video)} s, not {plan.duration}"
        pixels = cast(VideoFormat, video.codec_context.format)
        if plan.encoder.has_alpha != any(part.is_alpha for part in pixels.components):
            yield "it keeps alpha where none is planned, or none where it is"
        if plan.encoder.tag not in ("", video.codec_context.codec_tag):
            yield f"it is tagged {video.codec_context.codec_tag}"
        slack = get_container(plan.container).sound.slack
        for sound in container.streams.audio:
            if abs(_length(sound) - plan.duration) > slack:
                yield f"its sound lasts {float(_length(sound))} s, not {float(plan.duration)}"


def wrong_in_webm(path: Path, plan: Plan) -> Iterator[str]:
    """Look at a WebM, which counts nothing: read all of it."""
    rate = plan.composition.fps
    slack = get_container(plan.container).sound.slack + _MILLISECOND
    with open_video(path) as (container, video):
        yield from _wrong_container(container, video, plan)
        length = Fraction(container.duration or 0, av.time_base)
        if abs(length - plan.duration) > (slack if plan.has_audio else _MILLISECOND):
            yield f"it lasts {float(length)} s, not {float(plan.duration)}"
        packets = [
            (packet.is_keyframe, packet.pts, bool(alpha_of(packet)))
            for packet in whole(container.demux(video))
        ]
        yield from _wrong_frames([is_key for is_key, _, _ in packets], plan)
        if {has_alpha for _, _, has_alpha in packets} != {plan.encoder.has_alpha}:
            yield "it keeps alpha where none is planned, or none where it is"
        late = [
            frame
            for frame, (_, pts, _) in enumerate(packets)
            if abs(cast(int, pts) * cast(Fraction, video.time_base) - frame / rate) > _MILLISECOND
        ]
        if late:
            yield f"{len(late)} frames show at another time than planned, the first is {late[0]}"


def _wrong_container(container: InputContainer, video: VideoStream, plan: Plan) -> Iterator[str]:
    context = video.codec_context
    if container.metadata.get("comment", container.metadata.get("COMMENT")) != plan_comment(plan.plan_hash):
        yield "it does not name its plan"
    if (context.width, context.height) != (plan.composition.width, plan.composition.height):
        yield f"it is {context.width}x{context.height}"
    if {context.color_primaries, context.color_trc, context.colorspace} != {BT709}:
        yield "it is not tagged as BT.709"
    if context.color_range != LIMITED:
        yield "it is not tagged as limited range"
    if len(container.streams.audio) != plan.has_audio:
        yield f"it has {len(container.streams.audio)} sound tracks"


def _wrong_directions(path: Path, planned: Projection) -> Iterator[str]:
    try:
        said = read_sphere(path)
    except ValueError as error:
        yield f"what it says of its directions is wrong: {error}"
    else:
        if said != planned:
            yield f"it says that its picture is {said}, not {planned}"


def _wrong_frames(are_keys: Sequence[bool], plan: Plan) -> Iterator[str]:
    """Check for each coded picture, in order, that it is a key frame where the grid has one."""
    if len(are_keys) != plan.frame_count:
        yield f"it has {len(are_keys)} frames, not {plan.frame_count}"
    starts = {gop.start for gop in plan.gops}
    if list(are_keys) != [plan.encoder.is_intra or frame in starts for frame in range(len(are_keys))]:
        yield "its key frames are off the grid"


def _length(stream: Stream) -> Fraction:
    return (stream.duration or 0) * (stream.time_base or Fraction(0))
