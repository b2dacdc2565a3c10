"""Join chunks of PNG pictures and the sound into one archive, stored as they are, with no dates in it."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from ethereal.beat import Beat
from ethereal.render.coded_pictures import Placed, coded_pictures
from ethereal.render.containers import get_container
from ethereal.render.plan_comment import plan_comment
from ethereal.render.plan_record import Plan

_LARGE_FILE = (1 << 31) - 1  # bytes that a file of an archive may have without saying so first
_READABLE = 0o644 << 16
_UNIX = 3


def picture_name(frame: int) -> str:
    """Return what the picture of `frame` is called in the archive; names sort in the order of showing."""
    return f"frame_{frame:06}.png"


def join_zip(plan: Plan, plan_dir: Path, chunks: Sequence[Placed], output: Path, beat: Beat) -> None:
    """Write the pictures and the sound of `plan` at `output`; after an error what is there is of no use."""
    with ZipFile(output, "w", ZIP_STORED) as archive:
        archive.comment = plan_comment(plan.plan_hash).encode()
        for frame, packet in enumerate(coded_pictures(chunks, plan, beat)):
            archive.writestr(_entry(picture_name(frame)), bytes(packet))
        if plan.has_audio:
            _add_sound(archive, plan_dir / get_container(plan.container).sound.file)


def _add_sound(archive: ZipFile, sound: Path) -> None:
    is_large = sound.stat().st_size > _LARGE_FILE
    with sound.open("rb") as source, archive.open(_entry(sound.name), "w", force_zip64=is_large) as target:
        shutil.copyfileobj(source, target, 1 << 20)


def _entry(name: str) -> ZipInfo:
    """Of the first date that an archive can say, as every entry."""
    entry = ZipInfo(name)
    entry.external_attr, entry.create_system = _READABLE, _UNIX
    return entry
