"""What tells players that the picture of an MP4 or MOV shows all directions.

Both schemes of google/spatial-media are written, since players differ: V1, XML in a `uuid` box of the track
(docs/spherical-video-rfc.md), and V2, `st3d` and `sv3d` in the sample entry (docs/spherical-video-v2-rfc.md).
FFmpeg's muxer writes the second only, where it is handed what PyAV cannot hand it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from ethereal.beat import Beat, no_beat
from ethereal.render.boxes import read_boxes
from ethereal.render.formats import Projection

_V1 = UUID("ffcc8263-f855-4a93-8814-587a02521fdd").bytes
_XML = (
    '<?xml version="1.0"?><rdf:SphericalVideo xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
    'xmlns:GSpherical="http://ns.google.com/videos/1.0/spherical/">'
    "<GSpherical:Spherical>true</GSpherical:Spherical><GSpherical:Stitched>true</GSpherical:Stitched>"
    "<GSpherical:StitchingSoftware>Ethereal</GSpherical:StitchingSoftware>"
    "<GSpherical:ProjectionType>equirectangular</GSpherical:ProjectionType>{stereo}</rdf:SphericalVideo>"
)
_TOP_BOTTOM = "<GSpherical:StereoMode>top-bottom</GSpherical:StereoMode>"
_STEREO_MODES: Mapping[Projection, int] = {"mono": 0, "stereo": 1}  # 1: the left eye on top
_HEADER = struct.Struct(">I4s")
_TO_TABLES = (b"mdia", b"minf", b"stbl")
_LIST_FIELDS = 8  # of a list of sample entries, before the first
_ENTRY_FIELDS = 78  # of a picture's sample entry, before the boxes in it
_OFFSETS = {b"stco": "I", b"co64": "Q"}  # where the samples of a track lie in the file
_BLOCK = 1 << 20


@dataclass(frozen=True)
class _Part:
    """A box within bytes, from `start` to `end`; what it holds begins at `body`."""

    kind: bytes
    start: int
    body: int
    end: int


def tell_sphere(source: Path, output: Path, projection: Projection, *, beat: Beat = no_beat) -> None:
    """Copy the video at `source` to `output` and say there that it shows all directions.

    `beat` is called all along, with 1.0: copying a long video takes longer than a lease lasts.

    Raise ValueError for what is no MP4 or MOV with pictures, described before they come.
    """
    with source.open("rb") as read, output.open("wb") as written:
        for box in read_boxes(source):
            read.seek(box.offset)
            if box.kind == b"moov":
                with _damage_told():
                    written.write(_told(read.read(box.size), projection))
            else:
                _copy(read, written, box.size, beat)


def read_sphere(path: Path) -> Projection:
    """Return what the video at `path` says it shows; raise ValueError where it contradicts itself."""
    for box in read_boxes(path):
        if box.kind == b"moov":
            with path.open("rb") as file, _damage_told():
                file.seek(box.offset)
                return _read(file.read(box.size))
    raise ValueError("nothing describes it")


@contextmanager
def _damage_told() -> Iterator[None]:
    """Raise ValueError for what is read where nothing is."""
    try:
        yield
    except (struct.error, IndexError) as error:
        raise ValueError("its description is damaged") from error


def _copy(read: BinaryIO, written: BinaryIO, size: int, beat: Beat) -> None:
    for done in range(0, size, _BLOCK):
        beat(1.0)
        written.write(read.read(min(_BLOCK, size - done)))


def _told(moov: bytes, projection: Projection) -> bytes:
    """`moov` with both schemes in it, for a file in which all samples come after it."""
    around, entry = _to_pictures(moov)
    track = around[1]
    first, second = _spell_v1(projection), _spell_v2(projection)
    told = bytearray(moov)
    _move_samples(told, len(first) + len(second))
    for part in (*around, entry):
        more = len(second) + (len(first) if part in around[:2] else 0)
        _HEADER.pack_into(told, part.start, part.end - part.start + more, part.kind)
    told[track.end : track.end] = first  # the later place first: it does not move the other
    told[entry.end : entry.end] = second
    return bytes(told)


def _move_samples(moov: bytearray, distance: int) -> None:
    for track in _tracks(moov):
        for table in _children(moov, _path(moov, track, _TO_TABLES)[-1]):
            if table.kind in _OFFSETS:
                (count,) = struct.unpack_from(">I", moov, table.body + 4)
                offsets = struct.Struct(f">{count}{_OFFSETS[table.kind]}")
                moved = (offset + distance for offset in offsets.unpack_from(moov, table.body + 8))
                try:
                    offsets.pack_into(moov, table.body + 8, *moved)
                except struct.error as error:
                    raise ValueError("its samples lie too far into the file") from error


def _spell_v1(projection: Projection) -> bytes:
    xml = _XML.format(stereo=_TOP_BOTTOM if projection == "stereo" else "")
    return _box(b"uuid", _V1 + xml.encode())


def _spell_v2(projection: Projection) -> bytes:
    pose, whole_sphere = struct.pack(">3i", 0, 0, 0), struct.pack(">4I", 0, 0, 0, 0)
    shown = _full_box(b"prhd", pose) + _full_box(b"equi", whole_sphere)
    sphere = _full_box(b"svhd", b"Ethereal\0") + _box(b"proj", shown)
    return _full_box(b"st3d", bytes([_STEREO_MODES[projection]])) + _box(b"sv3d", sphere)


def _box(kind: bytes, content: bytes) -> bytes:
    return _HEADER.pack(_HEADER.size + len(content), kind) + content


def _full_box(kind: bytes, content: bytes) -> bytes:
    return _box(kind, bytes(4) + content)  # version 0, no flags


def _read(moov: bytes) -> Projection:
    around, entry = _to_pictures(moov)
    first, second = _read_v1(moov, around[1]), _read_v2(moov, entry)
    if first != second:
        raise ValueError(f"it says {first} in one place and {second} in another")
    return first


def _read_v1(moov: bytes, track: _Part) -> Projection:
    for part in _children(moov, track):
        if part.kind == b"uuid" and moov[part.body :].startswith(_V1):
            is_stereo = _TOP_BOTTOM.encode() in moov[part.body : part.end]
            return "stereo" if is_stereo else "mono"
    return "flat"


def _read_v2(moov: bytes, entry: _Part) -> Projection:
    parts = {part.kind: part for part in _parts(moov, entry.body + _ENTRY_FIELDS, entry.end)}
    if b"sv3d" not in parts:
        return "flat"
    modes = {mode: name for name, mode in _STEREO_MODES.items()}
    mode = moov[parts[b"st3d"].body + 4] if b"st3d" in parts else 0
    if mode not in modes:
        raise ValueError(f"its eyes are arranged in a way of their own, {mode}")
    return modes[mode]


def _to_pictures(moov: bytes) -> tuple[list[_Part], _Part]:
    """The boxes around the first sample entry of the picture track, from the outside in, and that entry."""
    (whole,) = _parts(moov, 0, len(moov))
    for track in _tracks(moov):
        parts = _path(moov, track, (*_TO_TABLES, b"stsd"))
        _, _, media, _, listed = parts
        if any(part.kind == b"vmhd" for part in _children(moov, media)):
            entries = [*_parts(moov, listed.body + _LIST_FIELDS, listed.end)]
            return [whole, *parts], entries[0]
    raise ValueError("there are no pictures in it")


def _tracks(moov: bytes | bytearray) -> Iterator[_Part]:
    (whole,) = _parts(moov, 0, len(moov))
    return (part for part in _children(moov, whole) if part.kind == b"trak")


def _path(data: bytes | bytearray, part: _Part, kinds: Sequence[bytes]) -> list[_Part]:
    """`part`, and the first of each of `kinds` in the one before."""
    parts = [part]
    for kind in kinds:
        found = [child for child in _children(data, parts[-1]) if child.kind == kind]
        if not found:
            raise ValueError(f"there is no {kind!r} in a {parts[-1].kind!r}")
        parts.append(found[0])
    return parts


def _children(data: bytes | bytearray, part: _Part) -> Iterator[_Part]:
    return _parts(data, part.body, part.end)


def _parts(data: bytes | bytearray, start: int, end: int) -> Iterator[_Part]:
    while start + _HEADER.size <= end:
        size, kind = _HEADER.unpack_from(data, start)
        if not _HEADER.size <= size <= end - start:
            raise ValueError(f"box {kind!r} of {size} bytes")
        yield _Part(kind, start, start + _HEADER.size, start + size)
        start += size
