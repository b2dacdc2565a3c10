"""A chunk on disk: an MP4 or a MOV with the coded pictures of its GOPs, and a last box that seals it.

Where the alpha of pictures is coded apart it is a second track, one picture of it after each of the first.
The seal says which GOPs of which plan these are and the sha256 of all bytes before it, so a chunk is checked
without anything beside it. It is a `uuid` box, which players pass over.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import cast
from uuid import UUID

import av
from av.container import OutputContainer
from av.video.stream import VideoStream

from ethereal.errors import ChunkCorruptError, RenderError
from ethereal.render.boxes import Box, read_boxes
from ethereal.render.canonical_json import canonical_json
from ethereal.render.container import open_muxer
from ethereal.render.encode import EncodedGop, EncodedPacket, EncoderSettings, configure

_SEAL = UUID("5a2f0ad9-6d5c-4b53-9f0e-37e3c1b2a6f4").bytes
_BLOCK = 1 << 20


@dataclass(frozen=True)
class ChunkSeal:
    """What a chunk says it holds."""

    plan_hash: str
    first_gop: int
    gop_count: int
    frame_count: int


def write_chunk(path: Path, gops: Iterable[EncodedGop], settings: EncoderSettings, seal: ChunkSeal) -> str:
    """Write `gops` as they come, then the seal; return the sha256 of the file."""
    with open_muxer(path, settings.wrapper) as container:
        stream = add_encoder_track(container, settings)
        alpha = add_encoder_track(container, settings) if settings.is_alpha_apart else None
        container.start_encoding()
        start = 0
        for gop in gops:
            _check_header(gop, stream)
            _mux_gop(container, stream, alpha, gop, start)
            start += len(gop.packets)
    if start != seal.frame_count:
        raise RenderError(f"{start} frames were encoded, not {seal.frame_count}")
    return _add_seal(path, seal)


def read_seal(path: Path) -> ChunkSeal:
    """Return what the chunk at `path` holds; raise ChunkCorruptError unless it is whole and unchanged."""
    try:
        *_, last = read_boxes(path)
        said = json.loads(_seal_payload(path, last))
        seal = ChunkSeal(said["planHash"], said["firstGop"], said["gopCount"], said["frameCount"])
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise ChunkCorruptError(f"{path.name} is not a whole chunk: {error}", [path.name]) from error
    if _sha256(path, last.offset).hexdigest() != said["sha256"]:
        raise ChunkCorruptError(f"{path.name} was changed after it was written", [path.name])
    return seal


def add_encoder_track(container: OutputContainer, settings: EncoderSettings) -> VideoStream:
    """Add the track of pictures that such an encoder made; it tells the file of them and encodes nothing."""
    stream = cast(VideoStream, container.add_stream(settings.codec, rate=settings.fps))
    configure(stream.codec_context, settings)
    if settings.tag:
        stream.codec_context.codec_tag = settings.tag
    stream.time_base = 1 / settings.fps
    return stream


def _check_header(gop: EncodedGop, stream: VideoStream) -> None:
    if gop.header != (stream.codec_context.extradata or b""):
        raise RenderError("an encoder with the same options wrote another header")


def _mux_gop(
    container: OutputContainer, stream: VideoStream, alpha: VideoStream | None, gop: EncodedGop, start: int
) -> None:
    for place, packet in enumerate(gop.packets):
        shown, decoded = start + packet.frame, start + place - gop.delay
        container.mux(_timed(packet, packet.data, stream, shown, decoded))
        if alpha is not None:
            container.mux(_timed(packet, packet.alpha, alpha, shown, decoded))


def _timed(
    packet: EncodedPacket, data: bytes, stream: VideoStream, shown: int, decoded: int
) -> av.Packet[VideoStream]:
    """Time in frames; decoding runs evenly, also through a GOP too short for the encoder's own count."""
    timed: av.Packet[VideoStream] = av.Packet(data)  # type: ignore[assignment]
    timed.stream, timed.time_base = stream, 1 / stream.codec_context.framerate
    timed.pts, timed.dts, timed.duration = shown, decoded, 1
    timed.is_keyframe = packet.is_key
    return timed


def _add_seal(path: Path, seal: ChunkSeal) -> str:
    digest = _sha256(path, path.stat().st_size)
    said = {
        "planHash": seal.plan_hash,
        "firstGop": seal.first_gop,
        "gopCount": seal.gop_count,
        "frameCount": seal.frame_count,
        "sha256": digest.hexdigest(),
    }
    payload = _SEAL + canonical_json(said)
    box = struct.pack(">I4s", 8 + len(payload), b"uuid") + payload
    with path.open("ab") as file:
        file.write(box)
    digest.update(box)
    return digest.hexdigest()


def _seal_payload(path: Path, box: Box) -> bytes:
    with path.open("rb") as file:
        file.seek(box.offset + box.header_size)
        payload = file.read(box.size - box.header_size)
    if box.kind != b"uuid" or not payload.startswith(_SEAL):
        raise ValueError("it has no seal")
    return payload.removeprefix(_SEAL)


def _sha256(path: Path, size: int) -> hashlib._Hash:
    """Hash the first `size` bytes of the file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while size > 0 and (block := file.read(min(size, _BLOCK))):
            digest.update(block)
            size -= len(block)
    return digest
