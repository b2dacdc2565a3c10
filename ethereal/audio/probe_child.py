"""Looks at a stranger's file in a process of its own, so that no file can stop or crash who asked."""

from __future__ import annotations

import json
import resource
import sys
from dataclasses import asdict
from datetime import timedelta
from fractions import Fraction
from pathlib import Path

from ethereal.audio.probe import AudioFacts, probe_audio
from ethereal.errors import ChildFailedError, TimeLimitError, UnavailableError, UnreadableAudioError
from ethereal.process import run_tool

_CPU_SECONDS = 20
_PATIENCE = timedelta(minutes=2)  # six times that: a busy machine says nothing about the file


def probe_apart(path: Path) -> AudioFacts:
    """What `probe_audio` finds.

    Raise UnreadableAudioError also when the look crashed or took too much CPU time, and UnavailableError when
    the machine did not get it done in two minutes.
    """
    try:
        command = [sys.executable, "-m", __name__, str(path), str(_CPU_SECONDS)]
        result = run_tool(command, timeout=_PATIENCE)
    except ChildFailedError as error:
        raise UnreadableAudioError("this file cannot be read as audio") from error
    except TimeLimitError as error:
        raise UnavailableError("this machine is too busy to look at the file; send it again later") from error
    answer = json.loads(result.stdout)
    if "unreadable" in answer:
        raise UnreadableAudioError(answer["unreadable"], {"file": [answer["unreadable"]]})
    return AudioFacts(**answer | {"duration": Fraction(answer["duration"])})


def main(path: str, cpu_seconds: str) -> None:
    """Print the facts, or why there are none, as JSON; the kernel ends it after so much CPU time."""
    resource.setrlimit(resource.RLIMIT_CPU, (int(cpu_seconds), int(cpu_seconds)))
    try:
        print(json.dumps(asdict(probe_audio(Path(path))), default=str))
    except UnreadableAudioError as error:
        print(json.dumps({"unreadable": str(error)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
