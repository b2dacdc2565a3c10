"""The outermost boxes of an MP4 file."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_HEADER = struct.Struct(">I4s")
_LARGE = struct.Struct(">Q")


@dataclass(frozen=True)
class Box:
    """`size` counts the header, which is `header_size` bytes long."""

    kind: bytes
    offset: int
    size: int
    header_size: int


def read_boxes(path: Path) -> Iterator[Box]:
    """Yield the outermost boxes in file order; raise ValueError where the file is not whole."""
    end = path.stat().st_size
    with path.open("rb") as file:
        offset = 0
        while offset < end:
            file.seek(offset)
            box = _parse(file.read(_HEADER.size + _LARGE.size), offset)
            if offset + box.size > end:
                raise ValueError(f"box {box.kind!r} ends after the file")
            yield box
            offset += box.size


def _parse(head: bytes, offset: int) -> Box:
    if len(head) < _HEADER.size:
        raise ValueError("half a box at the end")
    size, kind = _HEADER.unpack_from(head)
    header_size = _HEADER.size
    if size == 1 and len(head) >= _HEADER.size + _LARGE.size:
        (size,) = _LARGE.unpack_from(head, _HEADER.size)
        header_size += _LARGE.size
    if size < header_size:
        raise ValueError(f"box {kind!r} of {size} bytes")
    return Box(kind, offset, size, header_size)
