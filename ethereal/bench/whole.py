"""The whole of a render, in a process of its own as people start it: start-up, planning and all."""

from __future__ import annotations

import resource
import time
from collections.abc import Sequence
from dataclasses import dataclass
from subprocess import DEVNULL, PIPE

from ethereal.bench.usage import PeakMemory
from ethereal.errors import ChildFailedError
from ethereal.process import start_guarded

MIB = 1 << 20


@dataclass(frozen=True)
class Run:
    """A command from its start to its end; memory in MiB, of it and all it started, at its highest."""

    wall_seconds: float
    cpu_seconds: float
    peak_mib: int


def run_measured(command: Sequence[str]) -> Run:
    """Run `command` and watch its memory; raise ChildFailedError when it fails."""
    started, used = time.monotonic(), _cpu_of_the_ended()
    with (
        start_guarded(command, stdout=DEVNULL, stderr=PIPE) as process,
        PeakMemory(process.popen.pid) as memory,
    ):
        _, complaint = process.popen.communicate()
    if process.popen.returncode != 0:
        raise ChildFailedError(f"{' '.join(command)}: {complaint.decode(errors='replace').strip()}")
    wall, cpu = time.monotonic() - started, _cpu_of_the_ended() - used
    return Run(wall, cpu, memory.bytes // MIB)


def _cpu_of_the_ended() -> float:
    """CPU seconds of all children of this process that have ended, and of theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
