"""Encode one GOP alone, in one thread of a fresh encoder, so that its bytes depend on its frames alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias, cast

import av
import numpy as np
from av.bitstream import BitStreamFilterContext
from av.codec.context import Flags
from av.stream import Stream
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.reformatter import (
    ColorPrimaries,
    ColorRange,
    Colorspace,
    ColorTrc,
    Interpolation,
    VideoReformatter,
)
from numpy.typing import NDArray

#: One frame: RGBA, full range, top row first, shape (height, width, 4).
Pixels: TypeAlias = NDArray[np.uint8]

BT709 = 1  # the number of BT.709 in H.264 and in FFmpeg, for primaries, transfer and matrix alike
LIMITED = int(ColorRange.MPEG)
# Area: exactly the mean of the four pixels that share a chroma sample. The flags: the same on every CPU.
_SCALING = Interpolation.AREA | Interpolation.ACCURATE_RND | Interpolation.BITEXACT
_NO_SEI = "filter_units=remove_types=6"  # x264 spells out its version and options there, in every GOP


@dataclass(frozen=True)
class EncoderSettings:
    """Everything an encoder is told; `options` are libx264's, as FFmpeg names them."""

    codec: str
    options: Mapping[str, str]
    pixel_format: str
    width: int
    height: int
    fps: Fraction


@dataclass(frozen=True)
class EncodedPacket:
    """One coded picture; `frame` is its place in the GOP, in the order of showing."""

    data: bytes
    frame: int
    is_key: bool


@dataclass(frozen=True)
class EncodedGop:
    """A GOP in coding order; its first packet is a key frame and no packet refers outside.

    `header` holds the parameter sets, equal for all GOPs of a plan; `delay` is by how many frames decoding
    has to run ahead of showing.
    """

    header: bytes
    delay: int
    packets: tuple[EncodedPacket, ...]


def encode_gop(frames: Iterable[Pixels], settings: EncoderSettings) -> EncodedGop:
    """Encode `frames` as one closed GOP; a frame may be overwritten once the next one is asked for."""
    context = cast(VideoCodecContext, av.CodecContext.create(settings.codec, "w"))
    configure(context, settings)
    packets = tuple(_without_sei(_encode(context, frames, settings)))
    return EncodedGop(context.extradata or b"", context.reorder_depth, packets)


def configure(context: VideoCodecContext, settings: EncoderSettings) -> None:
    """Set `context` up as every encoder of a plan is."""
    context.width, context.height = settings.width, settings.height
    context.pix_fmt = settings.pixel_format
    context.framerate, context.time_base = settings.fps, 1 / settings.fps
    context.color_range = LIMITED
    context.color_primaries = context.color_trc = context.colorspace = BT709
    context.thread_count = 1
    context.flags |= Flags.global_header | Flags.closed_gop | Flags.bitexact
    context.options = dict(settings.options)


def _encode(
    context: VideoCodecContext, frames: Iterable[Pixels], settings: EncoderSettings
) -> Iterator[av.Packet[Stream]]:
    reformatter = VideoReformatter()
    for index, pixels in enumerate(frames):
        picture = to_video_range(pixels, reformatter, settings.pixel_format)
        picture.pts, picture.time_base = index, context.time_base
        yield from context.encode(picture)
    yield from context.encode(None)


def to_video_range(pixels: Pixels, reformatter: VideoReformatter, pixel_format: str) -> VideoFrame:
    """Convert full-range RGBA to limited-range BT.709, tagged so."""
    picture = reformatter.reformat(
        VideoFrame.from_numpy_buffer(pixels, "rgba"),
        format=pixel_format,
        dst_colorspace=Colorspace.ITU709,
        src_color_range=ColorRange.JPEG,
        dst_color_range=ColorRange.MPEG,
        interpolation=_SCALING,
        threads=1,
    )
    picture.color_trc, picture.color_primaries = ColorTrc.BT709, ColorPrimaries.BT709
    return picture


def _without_sei(packets: Iterable[av.Packet[Stream]]) -> Iterator[EncodedPacket]:
    sei_filter = BitStreamFilterContext(_NO_SEI, "h264")
    for packet in packets:
        yield from map(_record, sei_filter.filter(packet))
    yield from map(_record, sei_filter.filter(None))


def _record(packet: av.Packet[Stream]) -> EncodedPacket:
    return EncodedPacket(bytes(packet), cast(int, packet.pts), packet.is_keyframe)
