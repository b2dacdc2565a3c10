"""How far a job is and how long it may still take: the stored progress joined with the live frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from ethereal.jobs.model import ENDED, Failure, Job, JobId, JobStatus, Step, StepKey, StepName, StepStatus
from ethereal.live import LiveFrames
from ethereal.pipeline.eta import Eta, can_tell, make_farm_eta
from ethereal.services import Services

#: Percentages between which frames are drawn.
DRAWING_FROM, DRAWING_TO = 32.0, 90.0


def live_progress(services: Services, job: Job) -> tuple[float, Eta | None]:
    """The percentage to show, and how long it may still take once frames are being drawn."""
    return progress_of(job, live_frames(services, [job]).get(job.id), services.clock())


def live_frames(services: Services, jobs: Sequence[Job]) -> Mapping[str, LiveFrames]:
    """The live frames of those of the jobs whose progress they tell."""
    told = [
        job.id for job in jobs if job.started_at and not job.status.is_final and job.progress < DRAWING_TO
    ]
    return services.live.frames_of(told)


def progress_of(job: Job, frames: LiveFrames | None, now: datetime) -> tuple[float, Eta | None]:
    """The same as `live_progress`, from live frames that were asked for."""
    if frames is None or frames.done == 0:
        return job.progress, None
    percent = max(job.progress, drawing_percent(frames.done, frames.total))
    if job.status is JobStatus.PENDING or not can_tell(frames):
        return percent, None
    return percent, make_farm_eta(frames, now.timestamp())


def drawing_percent(done: int, total: int) -> float:
    return DRAWING_FROM + (DRAWING_TO - DRAWING_FROM) * done / total


@dataclass(frozen=True)
class ChunkState:
    """One chunk of a render as people see it. `seconds` is what its drawing and encoding took, when known.

    `copied` frames were drawn before for another job; `reused` says that all were. `second`: a second run is
    under way, or was the one that ended it.
    """

    index: int
    status: StepStatus
    frames: int
    drawn: int
    attempt: int
    host: str | None
    seconds: Mapping[str, float]
    copied: int
    reused: bool
    second: bool
    failures: Sequence[Failure]


def chunk_states(services: Services, job_id: JobId, stored: Sequence[Step]) -> Sequence[ChunkState]:
    """Every chunk of the job's plan, in order, by its `stored` steps; none before it is planned."""
    steps = {step.key: step for step in stored}
    planned = steps.get(StepKey(StepName.PLAN_RENDER))
    sizes = cast(Sequence[int], (planned.result or {}).get("chunkFrames", ())) if planned else ()
    live = services.live.frames(job_id)
    return [
        _chunk_state(steps[key], frames, live, steps.get(key.second))
        for index, frames in enumerate(sizes)
        if (key := StepKey(StepName.RENDER_CHUNK, index)) in steps
    ]


def count_drawn(step: Step, frames: int) -> int:
    """How many of the frames of a chunk were drawn for it, not for another job."""
    told: Mapping[str, Any] = step.result or {}
    return 0 if told.get("reused") else frames - int(told.get("copiedFrames", 0))


def _chunk_state(step: Step, frames: int, live: LiveFrames | None, second: Step | None) -> ChunkState:
    told: Mapping[str, Any] = step.result or {}
    copied = frames - count_drawn(step, frames)
    drawn = live.by_chunk.get(step.key.index, 0) if live and step.status is StepStatus.RUNNING else 0
    return ChunkState(
        index=step.key.index,
        status=step.status,
        frames=frames,
        drawn=frames if step.status is StepStatus.DONE else drawn,
        attempt=step.attempt,
        host=told.get("host"),
        seconds=told.get("timings", {}),
        copied=copied,
        reused=step.status is StepStatus.DONE and copied == frames,
        second=bool(told.get("second")) or (second is not None and second.status not in ENDED),
        failures=[*step.failures, *(second.failures if second else ())],
    )
