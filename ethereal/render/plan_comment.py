"""How a video names the plan it was made from: in its comment, where every player and unpacker shows it."""

from __future__ import annotations

import re
from pathlib import Path
from zipfile import BadZipFile, ZipFile, is_zipfile

import av

from ethereal.errors import InvalidInputError

_COMMENT = re.compile(r"ethereal plan ([0-9a-f]{64})")


def plan_comment(plan_hash: str) -> str:
    """Return what the video of that plan says."""
    return f"ethereal plan {plan_hash}"


def read_plan_hash(video: Path) -> str:
    """Return the hash of the plan that `video` names; raise InvalidInputError when it names none."""
    try:
        named = _COMMENT.fullmatch(_said(video))
    except (av.FFmpegError, OSError, BadZipFile) as error:
        raise InvalidInputError(f"{video.name} is not a video: {error}") from error
    if named is None:
        raise InvalidInputError(f"{video.name} does not name the plan it was made from")
    return named[1]


def _said(video: Path) -> str:
    if is_zipfile(video):
        with ZipFile(video) as archive:
            return archive.comment.decode("latin-1")
    with av.open(str(video)) as container:
        return {name.lower(): value for name, value in container.metadata.items()}.get("comment", "")
