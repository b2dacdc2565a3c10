"""GOPs that chunks of other plans hold, read so that another chunk can be written of them, byte for byte."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias, cast

import av
from av.video.codeccontext import VideoCodecContext

from ethereal.errors import ChunkCorruptError
from ethereal.render.chunk_file import read_seal
from ethereal.render.coded_alpha import alpha_of
from ethereal.render.coded_pictures import read_pictures
from ethereal.render.container import open_video
from ethereal.render.encode import EncodedGop, EncodedPacket, EncoderSettings, configure

_START_CODE = b"\0\0\0\1"
_LENGTH_BYTES = 4
_IN_UNITS = ("h264", "hevc")  # MP4 puts lengths where their encoders put start codes


@dataclass(frozen=True)
class DrawnGop:
    """A GOP in the chunk at `path`, from frame `start` of that file on."""

    path: Path
    start: int


#: By their numbers.
DrawnGops: TypeAlias = Mapping[int, DrawnGop]


def find_gops(path: Path, plan_hash: str, gop_frames: int) -> dict[int, DrawnGop]:
    """Return the GOPs of a chunk; raise ChunkCorruptError unless it is whole and of that plan."""
    seal = read_seal(path)
    if seal.plan_hash != plan_hash:
        raise ChunkCorruptError(f"{path.name} belongs to plan {seal.plan_hash}, not {plan_hash}", [path.name])
    return {seal.first_gop + place: DrawnGop(path, place * gop_frames) for place in range(seal.gop_count)}


def read_gop(drawn: DrawnGop, frame_count: int, settings: EncoderSettings, header: bytes) -> EncodedGop:
    """Read a GOP as its encoder gave it; `header` is what such an encoder writes, as `make_header` gives it.

    Raise ChunkCorruptError when the chunk holds no such GOP.
    """
    with open_video(drawn.path) as (container, stream):
        ticks = 1 / settings.fps / cast(Fraction, stream.time_base)
        container.seek(int(drawn.start * ticks), stream=stream)
        read = list(islice(read_pictures(container), frame_count))
        has_units = stream.codec_context.name in _IN_UNITS
    packets = tuple(_record(packet, has_units, ticks, drawn.start) for packet in read)
    is_whole = sorted(packet.frame for packet in packets) == list(range(frame_count))
    if not is_whole or not packets[0].is_key:
        raise ChunkCorruptError(f"{drawn.path.name} has no GOP at its frame {drawn.start}", [drawn.path.name])
    delay = Fraction(cast(int, read[0].pts) - cast(int, read[0].dts)) / ticks
    return EncodedGop(header, int(delay), packets)


def make_header(settings: EncoderSettings) -> bytes:
    """Return the parameter sets that an encoder with these settings writes, whatever it encodes."""
    context = cast(VideoCodecContext, av.CodecContext.create(settings.codec, "w"))
    configure(context, settings)
    context.open()
    return context.extradata or b""


def check_headers(path: Path, drawn: Iterable[DrawnGop]) -> None:
    """Raise ChunkCorruptError unless the chunk at `path` can be decoded like those it was written of."""
    expected = _headers(path)
    for source in {gop.path for gop in drawn}:
        if _headers(source) != expected:
            raise ChunkCorruptError(f"{source.name} was encoded with other parameters", [source.name])


def _headers(path: Path) -> Sequence[bytes | None]:
    with open_video(path) as (container, _):
        return [track.codec_context.extradata for track in container.streams.video]


def _record(packet: av.Packet[Any], has_units: bool, ticks: Fraction, start: int) -> EncodedPacket:
    data = bytes(packet)
    frame = cast(int, packet.pts) / ticks - start
    return EncodedPacket(
        _with_start_codes(data) if has_units else data, int(frame), packet.is_keyframe, alpha_of(packet)
    )


def _with_start_codes(data: bytes) -> bytes:
    units, place = [], 0
    while place < len(data):
        begin = place + _LENGTH_BYTES
        place = begin + int.from_bytes(data[place:begin], "big")
        units.append(data[begin:place])
    return b"".join(_START_CODE + unit for unit in units)
