"""Compare the sound of a delivered video with that of its plan, byte for byte: it was encoded once, there."""

from __future__ import annotations

import hashlib
from pathlib import Path
from zipfile import ZipFile, is_zipfile

import av


def is_sound_equal(plan_dir: Path, video: Path) -> bool:
    """Whether `video` carries the coded sound of the plan at `plan_dir`, or both have none."""
    planned = next(iter(sorted(plan_dir.glob("audio.*"))), None)
    if is_zipfile(video):
        with ZipFile(video) as archive:
            beside = [archive.read(name) for name in archive.namelist() if not name.endswith(".png")]
        return planned is None or planned.read_bytes() in beside
    return _coded_sound(video) == (_coded_sound(planned) if planned else None)


def _coded_sound(path: Path) -> str | None:
    """The sha256 of the coded sound; None when there is none."""
    digest = hashlib.sha256()
    with av.open(str(path)) as container:
        if not container.streams.audio:
            return None
        for packet in container.demux(container.streams.audio[0]):
            digest.update(bytes(packet))
    return digest.hexdigest()
