"""How far a job is and how long it may still take: the stored progress joined with the live frames."""

from __future__ import annotations

from dataclasses import dataclass

from ethereal.jobs.model import Job, JobStatus
from ethereal.services import Services

#: Percentages between which frames are drawn.
DRAWING_FROM, DRAWING_TO = 32.0, 90.0
#: Seconds that assembling and uploading take after the last frame, as a first guess.
_TAIL_SECONDS = 2.0
#: The part of the frames that must be drawn before their rate tells anything: the first wait for a browser.
_TELLING = 0.04


@dataclass(frozen=True)
class Eta:
    """Seconds until the end: the guess, and the range it most likely falls in."""

    seconds: float
    low: float
    high: float


def live_progress(services: Services, job: Job) -> tuple[float, Eta | None]:
    """The percentage to show, and how long it may still take once frames are being drawn."""
    if job.status is not JobStatus.PROCESSING or job.progress >= DRAWING_TO:
        return job.progress, None
    frames = services.live.frames(job.id)
    if frames is None or frames.done == 0:
        return job.progress, None
    percent = max(job.progress, drawing_percent(frames.done, frames.total))
    if frames.done < frames.total * _TELLING:
        return percent, None
    elapsed = services.clock().timestamp() - frames.started_at
    return percent, make_eta(frames.done, frames.total, elapsed)


def drawing_percent(done: int, total: int) -> float:
    return DRAWING_FROM + (DRAWING_TO - DRAWING_FROM) * done / total


def make_eta(done: int, total: int, elapsed: float) -> Eta:
    """From the mean rate so far; the range is wide at first and narrows as frames come in."""
    seconds = (total - done) * elapsed / done + _TAIL_SECONDS
    spread = 0.1 + 0.4 * (1 - done / total)
    return Eta(seconds, seconds * (1 - spread), seconds * (1 + spread))
