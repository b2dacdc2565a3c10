"""Join chunks and sound into one file that plays: packets are copied, nothing is encoded again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from fractions import Fraction
from heapq import merge
from pathlib import Path
from typing import Any, TypeAlias, cast

import av
from av.container import OutputContainer
from av.stream import Stream
from av.video.stream import VideoStream

from ethereal.beat import Beat
from ethereal.errors import RenderError
from ethereal.render.chunk_file import add_encoder_track
from ethereal.render.coded_pictures import Packets, Placed, coded_pictures, whole
from ethereal.render.container import open_muxer, open_video
from ethereal.render.containers import get_container
from ethereal.render.encode import EncoderSettings
from ethereal.render.plan_comment import plan_comment
from ethereal.render.plan_record import Plan
from ethereal.render.sphere_boxes import tell_sphere

#: Adds the track for pictures like those of a stream, made by an encoder told so.
AddTrack: TypeAlias = Callable[[OutputContainer, VideoStream, EncoderSettings], Stream]


def join_mp4(plan: Plan, plan_dir: Path, chunks: Sequence[Placed], output: Path, beat: Beat) -> None:
    """Write `plan` at `output` as MP4 or MOV; after an error what is there is of no use."""
    projection = plan.composition.projection
    if projection == "flat":
        _join(plan, plan_dir, chunks, output, beat, _copy_track)
        return
    untold = output.with_name(f"untold-{output.name}")
    _join(plan, plan_dir, chunks, untold, beat, _copy_track)
    try:
        tell_sphere(untold, output, projection, beat=beat)
    except ValueError as error:
        raise RenderError(f"the video cannot say that it shows all directions: {error}") from error
    untold.unlink()


def join_webm(plan: Plan, plan_dir: Path, chunks: Sequence[Placed], output: Path, beat: Beat) -> None:
    """Write `plan` at `output` as WebM, which a track tells its frame rate; like `join_mp4` else."""
    _join(plan, plan_dir, chunks, output, beat, lambda video, _, encoder: add_encoder_track(video, encoder))


def _copy_track(video: OutputContainer, pictures: VideoStream, encoder: EncoderSettings) -> Stream:
    track = video.add_stream_from_template(pictures, opaque=True)
    if encoder.tag:
        track.codec_context.codec_tag = encoder.tag
    return track


def _join(
    plan: Plan, plan_dir: Path, chunks: Sequence[Placed], output: Path, beat: Beat, add_track: AddTrack
) -> None:
    kind, metadata = get_container(plan.container), {"comment": plan_comment(plan.plan_hash)}
    with ExitStack() as files:
        _, first = files.enter_context(open_video(chunks[0][0]))
        sound = files.enter_context(av.open(str(plan_dir / kind.sound.file))) if plan.has_audio else None
        video = files.enter_context(open_muxer(output, kind.extension, is_streamed=True, metadata=metadata))
        picture_track = add_track(video, first, plan.encoder)
        packets = [_onto(picture_track, coded_pictures(chunks, plan, beat))]
        if sound is not None:
            sound_track = video.add_stream_from_template(sound.streams.audio[0])
            packets.append(_onto(sound_track, sound.demux(sound.streams.audio[0])))
        for packet in merge(*packets, key=_decoding_time):
            video.mux(packet)


def _onto(track: Stream, packets: Packets) -> Packets:
    for packet in whole(packets):
        packet.stream = track
        yield packet


def _decoding_time(packet: av.Packet[Any]) -> Fraction:
    return cast(int, packet.dts) * packet.time_base
