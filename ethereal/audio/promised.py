"""How long a file says it is, so that one cut short can be told from one that is short.

FFmpeg's own duration is partly a guess: from the first bit rate, or from the bytes that are left.
"""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer

from ethereal.errors import UnreadableAudioError

# Raw streams have no header at all: their duration is a guess from the first bit rate.
HEADERLESS = frozenset({"aac", "ac3", "amr", "dts", "eac3", "mpeg"})
# Recorders that cannot seek back leave a size near 2^31 or 2^32 in place of the one they did not know.
UNKNOWN_RIFF_SIZE = 0x7FFF_0000
LONGEST_OGG_PAGE = 65_307
LEAST_PART = Fraction(9, 10)
LAST_PART_MISSING = "The file ends early: its last part is missing."


def promised_duration(container: InputContainer, path: Path) -> Fraction | None:
    """Return the seconds that the header of an open file tells, or None when it tells nothing."""
    if container.duration is None or container.duration <= 0 or container.format.name in HEADERLESS:
        return None
    duration = Fraction(container.duration, av.time_base)
    if container.format.name == "mp3" and not _has_length_tag(path):
        return None
    return duration


def ensure_bytes(container: InputContainer, path: Path) -> None:
    """Raise UnreadableAudioError when bytes are missing at the end and FFmpeg would overlook it."""
    if container.format.name == "ogg":
        _ensure_last_page(path)
    if container.format.name == "wav":
        _ensure_riff_size(path)


def _ensure_last_page(path: Path) -> None:
    """An Ogg file tells no length, but one that was cut stops inside a page."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - LONGEST_OGG_PAGE))
        tail = file.read()
    page = tail[max(0, tail.rfind(b"OggS")) :]
    segments = page[27 : 27 + page[26]] if len(page) > 26 else b""
    if len(page) < 27 + sum(segments) + len(segments) or not segments:
        raise UnreadableAudioError(LAST_PART_MISSING)


def _has_length_tag(path: Path) -> bool:
    """Whether an MP3's first frame tells the number of frames, as encoders of variable bit rates write it."""
    with path.open("rb") as file:
        head = file.read(10)
        if head[:3] == b"ID3" and len(head) == 10:
            size = sum((byte & 0x7F) << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True))
            file.seek(10 + size)
        first_frame = head + file.read(4096)
    return any(tag in first_frame for tag in (b"Xing", b"Info", b"VBRI"))


def _ensure_riff_size(path: Path) -> None:
    with path.open("rb") as file:
        head = file.read(8)
        actual = file.seek(0, os.SEEK_END)
    size = int.from_bytes(head[4:8], "little") + 8
    if head[:4] == b"RIFF" and size < UNKNOWN_RIFF_SIZE and actual < size * LEAST_PART:
        raise UnreadableAudioError(LAST_PART_MISSING)
