"""How long a render may still take, by the pace of its chunks, and how right such guesses turned out."""

from __future__ import annotations

import heapq
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median

from ethereal.jobs.request import EtaTold
from ethereal.live import LiveFrames, LiveProgress

logger = logging.getLogger(__name__)

#: Percentages of the frames at which the guess is written down, to be held against what happened.
MARKS = (25, 50, 75)
#: Seconds that a farm takes after the last frame, to assemble and upload: a first guess.
_TAIL_SECONDS = 2.0
#: What joining takes on one machine, as a part of drawing: 1.3 s after 82 s were measured.
_JOINING = 0.015
#: Seconds between two chunks of a worker.
_GAP_SECONDS = 0.4
#: As many frames at the usual pace stand for what is not known yet of a chunk.
_FEW = 12
#: The part of what is to be drawn that must be there before its pace tells anything.
_TELLING = 0.04
#: A chunk slower than this is drawn a second time.
_SLOW = 3.0


@dataclass(frozen=True)
class Eta:
    """Seconds until the end: the guess, and the range it most likely falls in."""

    seconds: float
    low: float
    high: float


def make_eta(done: int, total: int, elapsed: float) -> Eta:
    """On one machine, from the mean rate so far: right where all workers are busy to the end."""
    return _with_range((total - done + _JOINING * total) * elapsed / done, done, total)


def can_tell(frames: LiveFrames) -> bool:
    """Whether enough was drawn to tell a pace by: the first frame waits for a browser."""
    drawn = sum(frames.fresh.values()) if frames.since else frames.done
    return drawn > 0 and drawn >= _TELLING * (frames.total - frames.done + drawn)


def make_farm_eta(frames: LiveFrames, now: float) -> Eta:
    """By dealing out the chunks that are left to the workers there are; `now` in seconds since the epoch.

    At the end of a render most workers have nothing to do: what counts is the chunk that ends last. One so
    slow that it is drawn elsewhere too bounds its own time.
    """
    seconds = _until_the_last_chunk(frames, now)
    if seconds is None:
        seconds = (frames.total - frames.done) * (now - frames.started_at) / frames.done
    return _with_range(seconds + _TAIL_SECONDS, frames.done, frames.total)


def _with_range(seconds: float, done: int, total: int) -> Eta:
    """The range is wide at first and narrows as frames come in."""
    spread = 0.1 + 0.4 * (1 - done / total)
    return Eta(seconds, seconds * (1 - spread), seconds * (1 + spread))


def _until_the_last_chunk(frames: LiveFrames, now: float) -> float | None:
    own, fresh, busy = {**frames.by_chunk, **frames.own}, frames.fresh, frames.busy
    known = sum(fresh.values())
    if not frames.sizes or not known or not sum(busy.values()):
        return None
    pace = sum(busy.values()) / known
    running = [
        min((size - own.get(index, 0)) * _pace_of(fresh[index], busy[index], pace), _SLOW * size * pace)
        for index, size in enumerate(frames.sizes)
        if index in busy and own.get(index, 0) < size
    ]
    waiting = [
        size for index, size in enumerate(frames.sizes) if index not in busy and own.get(index, 0) < size
    ]
    ends = [*running, *[0.0] * (_workers(frames, now) - len(running))] or [0.0]
    heapq.heapify(ends)
    for size in sorted(waiting, reverse=True):
        heapq.heappush(ends, heapq.heappop(ends) + _GAP_SECONDS + size * pace)
    return max(ends)


def _pace_of(fresh: int, seconds: float, pace: float) -> float:
    """Seconds a frame of a chunk that drew `fresh` frames in `seconds`, where `pace` is usual."""
    return (seconds + _FEW * pace) / (fresh + _FEW)


def _workers(frames: LiveFrames, now: float) -> int:
    """The most chunks that were drawn at a time."""
    changes: list[tuple[float, int]] = []
    for index, since in frames.since.items():
        ended = frames.own.get(index, 0) >= frames.sizes[index]
        changes += [(since, 1), (frames.at.get(index, since) if ended else now, -1)]
    most = here = 0
    for _, change in sorted(changes):
        here += change
        most = max(most, here)
    return most


def note_predictions(live: LiveProgress, job_id: str, frames: LiveFrames, now: float) -> None:
    """Write down the guess of this moment for each mark that is passed and has none."""
    due = [mark for mark in MARKS if frames.done * 100 >= mark * frames.total and can_tell(frames)]
    for mark in due:
        if mark not in frames.predicted:
            live.predict(job_id, mark, now, make_farm_eta(frames, now).seconds)


def told_etas(frames: LiveFrames | None, job_id: str, now: float) -> tuple[EtaTold, ...]:
    """What was guessed, against what it took until `now`, the end; it goes to the log too."""
    predicted: Mapping[int, tuple[float, float]] = frames.predicted if frames else {}
    told = tuple(
        EtaTold(at=mark, predicted=round(seconds, 3), took=round(now - when, 3))
        for mark, (when, seconds) in sorted(predicted.items())
    )
    for eta in told:
        logger.info(
            "eta of job %s at %d %%: predicted %.1f s, took %.1f s", job_id, eta.at, eta.predicted, eta.took
        )
    return told


def eta_errors(etas: Iterable[EtaTold]) -> list[float]:
    """How far each guess was from what it took, as a part of that."""
    return [abs(eta.predicted - eta.took) / eta.took for eta in etas if eta.took > 0]


def median_eta_error(etas: Iterable[EtaTold]) -> float | None:
    """The error that half of the guesses stay below; None when nothing was guessed."""
    errors = eta_errors(etas)
    return median(errors) if errors else None
