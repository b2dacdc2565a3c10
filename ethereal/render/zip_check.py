"""Look at a finished picture sequence before anyone is given it; the check yields what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import av

from ethereal.render.containers import get_container
from ethereal.render.join_zip import picture_name
from ethereal.render.plan_comment import plan_comment
from ethereal.render.plan_record import Plan

_HEADER = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
_RGB, _RGBA = b"\x08\x02", b"\x08\x06"  # eight bits of each


def wrong_in_zip(path: Path, plan: Plan) -> Iterator[str]:
    """Look at an archive of pictures; each must be whole and of the planned size."""
    sound = get_container(plan.container).sound
    expected = [picture_name(frame) for frame in range(plan.frame_count)]
    with ZipFile(path) as archive:
        if archive.comment.decode() != plan_comment(plan.plan_hash):
            yield "it does not name its plan"
        if archive.namelist() != expected + [sound.file] * plan.has_audio:
            yield f"it has {len(archive.namelist())} files, not {len(expected)} pictures and their sound"
            return
        if damaged := archive.testzip():
            yield f"{damaged} is damaged"
        yield from _wrong_pictures(archive, expected, plan)
        if plan.has_audio:
            with archive.open(sound.file) as file, av.open(file, format=sound.wrapper) as container:
                stream = container.streams.audio[0]
                length = (stream.duration or 0) * (stream.time_base or 0)
            if abs(length - plan.duration) > sound.slack:
                yield f"its sound lasts {float(length)} s, not {float(plan.duration)}"


def _wrong_pictures(archive: ZipFile, names: list[str], plan: Plan) -> Iterator[str]:
    width, height = plan.composition.width, plan.composition.height
    colours = _RGBA if plan.encoder.has_alpha else _RGB
    head = _HEADER + width.to_bytes(4, "big") + height.to_bytes(4, "big") + colours
    for name in names:
        with archive.open(name) as file:
            if file.read(len(head)) != head:
                yield f"{name} is no PNG of {width}x{height} in the colours planned"
