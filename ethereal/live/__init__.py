"""Live progress: frames drawn per chunk, about once a second. A hint for people, never the truth."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol


@dataclass(frozen=True)
class LiveFrames:
    """How many frames of a render are drawn. All times in seconds since the epoch.

    `by_chunk` is what people are shown, which does not fall when a chunk is drawn again. `since` is when the
    last attempt of a chunk began to draw, `had` the frames it had then (copied ones), `own` those it has now,
    and `at` when it was last heard of. `predicted` has for a percentage of the frames when the seconds until
    the end were guessed, and the guess.
    """

    total: int
    started_at: float
    by_chunk: Mapping[int, int] = field(default_factory=dict)
    sizes: Sequence[int] = ()  #: frames of each chunk
    since: Mapping[int, float] = field(default_factory=dict)
    at: Mapping[int, float] = field(default_factory=dict)
    predicted: Mapping[int, tuple[float, float]] = field(default_factory=dict)
    had: Mapping[int, int] = field(default_factory=dict)
    own: Mapping[int, int] = field(default_factory=dict)

    @property
    def fresh(self) -> dict[int, int]:
        """Frames that were drawn of each chunk in the seconds that it was busy."""
        return {chunk: max(0, self.own.get(chunk, 0) - self.had.get(chunk, 0)) for chunk in self.since}

    @property
    def busy(self) -> dict[int, float]:
        """Seconds that were spent on each chunk that was begun."""
        return {chunk: max(0.0, self.at.get(chunk, since) - since) for chunk, since in self.since.items()}

    @property
    def done(self) -> int:
        return min(self.total, sum(self.by_chunk.values()))


class LiveProgress(Protocol):
    """Never raises when its server is away: then nothing is known."""

    def start(self, job_id: str, total: int, sizes: Sequence[int] = ()) -> None: ...

    def begin(self, job_id: str, chunk: int, had: int = 0) -> None:
        """An attempt of the chunk begins to draw, with `had` of its frames there."""
        ...

    def predict(self, job_id: str, mark: int, when: float, seconds: float) -> None:
        """Keep a guess for a percentage of the frames, unless there is one."""
        ...

    def put(self, job_id: str, chunk: int, frames: int, *, own: int | None = None) -> None:
        """Show so many frames of the chunk; `own` are the attempt's, where these are others."""
        ...

    def frames(self, job_id: str) -> LiveFrames | None: ...

    def frames_of(self, job_ids: Collection[str]) -> Mapping[str, LiveFrames]:
        """The frames of those of these jobs that are known, asked for at once."""
        ...

    def clear(self, job_id: str) -> None: ...


class MemoryLiveProgress:
    """Live progress within one process."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._jobs: dict[str, LiveFrames] = {}
        self._clock = clock

    def start(self, job_id: str, total: int, sizes: Sequence[int] = ()) -> None:
        self._jobs.setdefault(job_id, LiveFrames(total, self._clock(), sizes=tuple(sizes)))

    def begin(self, job_id: str, chunk: int, had: int = 0) -> None:
        if known := self._jobs.get(job_id):
            since, counted = {**known.since, chunk: self._clock()}, {chunk: had}
            self._jobs[job_id] = replace(
                known, since=since, had={**known.had, **counted}, own={**known.own, **counted}
            )

    def predict(self, job_id: str, mark: int, when: float, seconds: float) -> None:
        if known := self._jobs.get(job_id):
            self._jobs[job_id] = replace(known, predicted={mark: (when, seconds), **known.predicted})

    def put(self, job_id: str, chunk: int, frames: int, *, own: int | None = None) -> None:
        if known := self._jobs.get(job_id):
            by_chunk, at = {**known.by_chunk, chunk: frames}, {**known.at, chunk: self._clock()}
            own_frames = {**known.own, chunk: frames if own is None else own}
            self._jobs[job_id] = replace(known, by_chunk=by_chunk, at=at, own=own_frames)

    def frames(self, job_id: str) -> LiveFrames | None:
        return self._jobs.get(job_id)

    def frames_of(self, job_ids: Collection[str]) -> Mapping[str, LiveFrames]:
        return {job_id: known for job_id in job_ids if (known := self.frames(job_id))}

    def clear(self, job_id: str) -> None:
        self._jobs.pop(job_id, None)
