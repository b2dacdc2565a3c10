"""What a tree of processes costs: seconds by the clock, seconds of CPU, and memory at its highest."""

from __future__ import annotations

import resource
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

_STATUS = Path("/proc/self/status")
_SAMPLE_SECONDS = 1.0  # reading the shares of memory holds up who is read: four times a second took a tenth


@dataclass
class Usage:
    """Filled in at the end of the block that is measured."""

    wall_seconds: float = 0.0
    cpu_seconds: float = 0.0


@contextmanager
def usage_of(root: int) -> Iterator[Usage]:
    """Measure the process `root` and all below it; none of them may start or end within the block."""
    usage, started, used = Usage(), time.monotonic(), cpu_seconds(root)
    yield usage
    usage.wall_seconds = time.monotonic() - started
    usage.cpu_seconds = cpu_seconds(root) - used


def cpu_seconds(root: int) -> float:
    """CPU seconds that the living processes from `root` downwards have used."""
    total = 0.0
    for process in tree(root):
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            total += times.user + times.system
    return total


class PeakMemory:
    """Watches the memory of the processes from `root` downwards, once a second, until the block ends.

    `bytes` is the highest sum seen. Memory that processes share counts once where the system can tell
    (`proportional`), else once for each of them.
    """

    def __init__(self, root: int) -> None:
        self.bytes = 0
        self.proportional = psutil.LINUX
        self._root, self._ended = root, threading.Event()
        self._thread = threading.Thread(target=self._watch, name="memory", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(_SAMPLE_SECONDS):
            self.bytes = max(self.bytes, sum(self._memory(process) for process in tree(self._root)))

    def _memory(self, process: psutil.Process) -> int:
        with suppress(psutil.Error):
            return int(process.memory_full_info().pss if self.proportional else process.memory_info().rss)
        return 0


def own_peak() -> int:
    """The most memory that this process has had at once so far, in bytes, with the libraries it shares."""
    if _STATUS.is_file():  # what getrusage says counts the process that this one was forked from
        highest = next(line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM"))
        return int(highest.split()[1]) << 10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def tree(root: int) -> list[psutil.Process]:
    """The process `root` and all below it, as far as they live."""
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(root)
        return [process, *process.children(recursive=True)]
    return []
