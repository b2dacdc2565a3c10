"""Live progress: frames drawn per chunk, about once a second. A hint for people, never the truth."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class LiveFrames:
    """How many frames of a render are drawn. `started_at` in seconds since the epoch."""

    total: int
    started_at: float
    by_chunk: Mapping[int, int] = field(default_factory=dict)

    @property
    def done(self) -> int:
        return min(self.total, sum(self.by_chunk.values()))


class LiveProgress(Protocol):
    """Never raises when its server is away: then nothing is known."""

    def start(self, job_id: str, total: int) -> None: ...

    def put(self, job_id: str, chunk: int, frames: int) -> None: ...

    def frames(self, job_id: str) -> LiveFrames | None: ...

    def clear(self, job_id: str) -> None: ...


class MemoryLiveProgress:
    """Live progress within one process."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._jobs: dict[str, LiveFrames] = {}
        self._clock = clock

    def start(self, job_id: str, total: int) -> None:
        self._jobs.setdefault(job_id, LiveFrames(total, self._clock()))

    def put(self, job_id: str, chunk: int, frames: int) -> None:
        if known := self._jobs.get(job_id):
            by_chunk = {**known.by_chunk, chunk: frames}
            self._jobs[job_id] = LiveFrames(known.total, known.started_at, by_chunk)

    def frames(self, job_id: str) -> LiveFrames | None:
        return self._jobs.get(job_id)

    def clear(self, job_id: str) -> None:
        self._jobs.pop(job_id, None)
