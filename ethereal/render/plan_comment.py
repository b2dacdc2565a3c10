"""How a video names the plan it was made from: in its comment, where every player shows it."""

from __future__ import annotations

import re
from pathlib import Path

import av

from ethereal.errors import InvalidInputError

_COMMENT = re.compile(r"ethereal plan ([0-9a-f]{64})")


def plan_comment(plan_hash: str) -> str:
    """Return what the video of that plan says."""
    return f"ethereal plan {plan_hash}"


def read_plan_hash(video: Path) -> str:
    """Return the hash of the plan that `video` names; raise InvalidInputError when it names none."""
    try:
        with av.open(str(video)) as container:
            said = {name.lower(): value for name, value in container.metadata.items()}
    except (av.FFmpegError, OSError) as error:
        raise InvalidInputError(f"{video.name} is not a video: {error}") from error
    named = _COMMENT.fullmatch(said.get("comment", ""))
    if named is None:
        raise InvalidInputError(f"{video.name} does not name the plan it was made from")
    return named[1]
