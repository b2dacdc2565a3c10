"""Looks at a stranger's file in a process of its own, so that no file can stop or crash who asked."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from datetime import timedelta
from fractions import Fraction
from pathlib import Path

from ethereal.audio.probe import AudioFacts, probe_audio
from ethereal.errors import ChildFailedError, TimeLimitError, UnreadableAudioError
from ethereal.process import run_tool

_LIMIT = timedelta(seconds=20)


def probe_apart(path: Path) -> AudioFacts:
    """What `probe_audio` finds. Raise UnreadableAudioError also when the look crashed or took too long."""
    try:
        result = run_tool([sys.executable, "-m", __name__, str(path)], timeout=_LIMIT)
    except (ChildFailedError, TimeLimitError) as error:
        raise UnreadableAudioError("this file cannot be read as audio") from error
    answer = json.loads(result.stdout)
    if "unreadable" in answer:
        raise UnreadableAudioError(answer["unreadable"], {"file": [answer["unreadable"]]})
    return AudioFacts(**answer | {"duration": Fraction(answer["duration"])})


def main(path: str) -> None:
    """Print the facts, or why there are none, as JSON."""
    try:
        print(json.dumps(asdict(probe_audio(Path(path))), default=str))
    except UnreadableAudioError as error:
        print(json.dumps({"unreadable": str(error)}))


if __name__ == "__main__":
    main(sys.argv[1])
