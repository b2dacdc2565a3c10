"""Compare the sound of a delivered video with that of its plan, byte for byte: it was encoded once, there."""

from __future__ import annotations

import hashlib
from pathlib import Path
from zipfile import BadZipFile, ZipFile, is_zipfile

import av


def is_sound_equal(plan_dir: Path, video: Path) -> bool:
    """Whether `video` carries the coded sound of the plan at `plan_dir`, or both have none."""
    planned = next(iter(sorted(plan_dir.glob("audio.*"))), None)
    if is_zipfile(video):
        return _sound_beside(video) == (planned.read_bytes() if planned else None)
    return _coded_sound(video) == (_coded_sound(planned) if planned else None)


def _sound_beside(video: Path) -> bytes | None:
    """The file in an archive that is no picture: b"" when it is damaged, None when there is none."""
    with ZipFile(video) as archive:
        for name in archive.namelist():
            if not name.endswith(".png"):
                try:
                    return archive.read(name)
                except BadZipFile:
                    return b""
    return None


def _coded_sound(path: Path) -> str | None:
    """The sha256 of the coded sound; None when there is none."""
    digest = hashlib.sha256()
    with av.open(str(path)) as container:
        if not container.streams.audio:
            return None
        for packet in container.demux(container.streams.audio[0]):
            digest.update(bytes(packet))
    return digest.hexdigest()
