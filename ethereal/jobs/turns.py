"""Whose turn it is: which kinds of steps the same workers do, what comes first among them, and how much fits.

Every client's next step comes before the second one of any other, so a long batch delays nobody's short job.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from ethereal.errors import TooManyJobsError
from ethereal.jobs.model import Job, JobStatus, Step, StepName, StepStatus

#: How urgent a step is among those that wait, 1 before 3: somebody listens, something that was begun ends.
LEVELS: Mapping[StepName, int] = {
    StepName.PREVIEW_EDIT: 1,
    StepName.DRAW_CONTACT: 1,
    StepName.UPLOAD_R2: 2,
    StepName.DISPATCH_MODAL: 2,
    StepName.RENDER_CHUNK: 2,
    StepName.SECOND_RUN: 2,
    StepName.ASSEMBLE_VIDEO: 2,
    StepName.ACCEPT_VIDEO: 2,
    StepName.INGEST_AUDIO: 3,
    StepName.SAVE_EDIT: 3,
    StepName.PREPARE_AUDIO: 3,
    StepName.PLAN_RENDER: 3,
}
#: The level of a step whose turn it is.
FIRST_LEVEL = 0
#: How long a step that was given its turn may wait for a worker before another one is given it too.
TURN_LASTS = timedelta(seconds=10)

_DRAWN = frozenset({StepName.PLAN_RENDER, StepName.DRAW_CONTACT, StepName.RENDER_CHUNK, StepName.SECOND_RUN})


class Lane(StrEnum):
    """The steps that the same workers do."""

    CPU = "cpu"
    RENDER = "render"

    @property
    def levels(self) -> Mapping[str, int]:
        """Its steps, and how urgent each is."""
        return {name: level for name, level in LEVELS.items() if lane_of(name) is self}


def lane_of(name: StepName) -> Lane:
    return Lane.RENDER if name in _DRAWN else Lane.CPU


@dataclass(frozen=True)
class Unfinished:
    """How many jobs live: in all, and of one client. As a limit: how many may."""

    in_all: int
    of_client: int

    def ensure_below(self, most: Unfinished) -> None:
        """Raise TooManyJobsError when one more would be over `most`."""
        if self.of_client >= most.of_client:
            told = f"{self.of_client} of your jobs wait or run, as many as may"
            raise TooManyJobsError(f"{told}: send this again when one has ended")
        if self.in_all >= most.in_all:
            raise TooManyJobsError("more work waits here than can be taken: send this again in a while")


@dataclass(frozen=True)
class Waiting:
    """A step of a job that lives, waiting or running."""

    job: Job
    step: Step


def in_turns(jobs: Iterable[Job]) -> Sequence[Job]:
    """The pending ones in the order of their turns: the first of every client, then the second of each."""
    numbered: list[tuple[int, int, Job]] = []
    counted: Counter[str] = Counter()
    for job in sorted(jobs, key=lambda job: job.sequence):
        if job.status is JobStatus.PENDING:
            counted[job.client] += 1
            numbered.append((counted[job.client], job.sequence, job))
    return [job for _, _, job in sorted(numbered, key=lambda entry: entry[:2])]


def choose(
    steps: Sequence[Waiting], served: Mapping[str, datetime], *, now: datetime, route: str | None
) -> Step | None:
    """The step whose turn it is among those of one lane, None unless several clients wait.

    That client goes first of whose steps the fewest run, then the one that was `served` longest ago.
    """
    given = [one for one in steps if _has_turn(one.step, now)]
    running = [one for one in steps if one.step.status is StepStatus.RUNNING]
    due = [one for one in steps if _is_due(one.step, now) and one.step.route in (None, route)]
    if len({one.job.client for one in due}) < 2:
        return None
    busy = [one.job.client for one in (*given, *running)]

    def place(one: Waiting) -> tuple[object, ...]:
        client, key = one.job.client, one.step.key
        last = served[client].timestamp() if client in served else 0.0
        return busy.count(client), last, LEVELS[key.name], one.job.sequence, key.index

    rest = [one for one in due if one not in given]
    return min(rest, key=place).step if rest else None


def _is_due(step: Step, now: datetime) -> bool:
    return step.status is StepStatus.WAITING and step.not_before <= now


def _has_turn(step: Step, now: datetime) -> bool:
    return _is_due(step, now) and step.turn_at is not None and step.turn_at > now - TURN_LASTS
