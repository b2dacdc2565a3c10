"""Encode one GOP alone, in one thread of a fresh encoder, so that its bytes depend on its frames alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import cast

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

from ethereal.render.coded_alpha import alpha_of
from ethereal.render.encoders.codec import BT709_LIMITED, SRGB_FULL
from ethereal.render.pixels import Pixels
from ethereal.render.turned import Turner

BT709 = 1  # the number of BT.709 in H.264 and in FFmpeg, for primaries, transfer and matrix alike
LIMITED, FULL = int(ColorRange.MPEG), int(ColorRange.JPEG)
# Area: exactly the mean of the four pixels that share a chroma sample. Bit-exact: the same on every CPU. Full
# chroma input takes the way written for the CPU's vectors: as exact, in three quarters of the time. Accurate
# rounding on top of that gives the same bytes in twice the time.
_SCALING = Interpolation.AREA | Interpolation.BITEXACT | Interpolation.FULL_CHR_H_INP
_SRGB, _RGB = 13, 0  # FFmpeg's numbers of the transfer function and of what is no matrix


@dataclass(frozen=True)
class EncoderSettings:
    """Everything an encoder is told; `codec` and `options` as FFmpeg names them, the rest as in `Codec`."""

    codec: str
    options: Mapping[str, str]
    pixel_format: str
    width: int
    height: int
    fps: Fraction
    colour: str = BT709_LIMITED
    wrapper: str = "mp4"
    tag: str = ""
    packet_filter: str = ""
    reorder: int = 0
    is_intra: bool = False

    @property
    def is_rgb(self) -> bool:
        return self.colour == SRGB_FULL

    @property
    def has_alpha(self) -> bool:
        """Whether pictures keep their alpha; else it is dropped."""
        return any(component.is_alpha for component in av.VideoFormat(self.pixel_format).components)

    @property
    def is_alpha_apart(self) -> bool:
        """Whether the alpha of a picture is a coded picture of its own."""
        return self.pixel_format == "yuva420p"


@dataclass(frozen=True)
class EncodedPacket:
    """One coded picture; `frame` is its place in the GOP, in the order of showing.

    `alpha` is its coded alpha, where that is apart.
    """

    data: bytes
    frame: int
    is_key: bool
    alpha: bytes = b""


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
    return encode_pictures(map(PictureMaker(settings).make, frames), settings)


def encode_pictures(pictures: Iterable[VideoFrame], settings: EncoderSettings) -> EncodedGop:
    """Encode what a PictureMaker made as one closed GOP."""
    context = cast(VideoCodecContext, av.CodecContext.create(settings.codec, "w"))
    configure(context, settings)
    coded, codec = _encode(context, pictures), context.codec.canonical_name
    packets = tuple(_filtered(coded, settings.packet_filter, codec))
    return EncodedGop(context.extradata or b"", settings.reorder or context.reorder_depth, packets)


def configure(context: VideoCodecContext, settings: EncoderSettings) -> None:
    """Set `context` up as every encoder of a plan is."""
    context.width, context.height = settings.width, settings.height
    context.pix_fmt = settings.pixel_format
    context.framerate, context.time_base = settings.fps, 1 / settings.fps
    context.color_primaries = context.color_trc = context.colorspace = BT709
    context.color_range = LIMITED
    if settings.is_rgb:
        context.color_trc, context.colorspace, context.color_range = _SRGB, _RGB, FULL
    context.thread_count = 1
    context.flags |= Flags.global_header | Flags.closed_gop | Flags.bitexact
    context.options = dict(settings.options)


def _encode(context: VideoCodecContext, pictures: Iterable[VideoFrame]) -> Iterator[av.Packet[Stream]]:
    for index, picture in enumerate(pictures):
        picture.pts, picture.time_base = index, context.time_base
        yield from context.encode(picture)
    yield from context.encode(None)


class PictureMaker:
    """Converts frames to what the encoder takes; for one thread. A frame may be overwritten afterwards."""

    def __init__(self, settings: EncoderSettings) -> None:
        self._settings = settings
        self._reformatter, self._turner = VideoReformatter(), Turner()

    def make(self, pixels: Pixels) -> VideoFrame:
        """Convert a frame; one whose rows lie in reverse is read as it lies and turned over afterwards."""
        is_reversed = pixels.strides[0] < 0
        lying = pixels[::-1] if is_reversed else pixels
        picture = self._convert(lying)
        if self._settings.has_alpha:
            _keep_alpha(lying, picture)
        return self._turner.turn(picture) if is_reversed else picture

    def _convert(self, pixels: Pixels) -> VideoFrame:
        if not self._settings.is_rgb:
            return to_video_range(pixels, self._reformatter, self._settings.pixel_format)
        # A copy, since what is asked to become what it is comes back as it was.
        picture = self._reformatter.reformat(
            VideoFrame.from_ndarray(pixels, "rgba"), format=self._settings.pixel_format, threads=1
        )
        picture.color_trc, picture.color_primaries = ColorTrc.IEC61966_2_1, ColorPrimaries.BT709
        return picture


def _keep_alpha(pixels: Pixels, picture: VideoFrame) -> None:
    """Give `picture` the very alpha of `pixels`, which the scaler rounds."""
    if len(picture.planes) < 4:  # alpha in one plane with the colours was not scaled
        return
    depth = picture.format.components[3].bits
    plane = np.frombuffer(memoryview(picture.planes[3]), np.uint8 if depth == 8 else np.uint16)
    alpha = pixels[..., 3].astype(plane.dtype)
    rows = plane.reshape(picture.height, -1)
    rows[:, : picture.width] = alpha << (depth - 8) | alpha >> (16 - depth)


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


def _filtered(packets: Iterable[av.Packet[Stream]], name: str, codec: str) -> Iterator[EncodedPacket]:
    if not name:
        yield from map(_record, packets)
        return
    packet_filter = BitStreamFilterContext(name, codec)
    for packet in packets:
        yield from map(_record, packet_filter.filter(packet))
    yield from map(_record, packet_filter.filter(None))


def _record(packet: av.Packet[Stream]) -> EncodedPacket:
    return EncodedPacket(bytes(packet), cast(int, packet.pts), packet.is_keyframe, alpha_of(packet))
