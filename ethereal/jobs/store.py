"""The port of the job store: durable jobs and their steps, every method one atomic move."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from ethereal.jobs.model import (
    Announcement,
    Claim,
    Job,
    JobError,
    JobId,
    JobStatus,
    JobType,
    Lease,
    Step,
    StepKey,
    StepName,
)
from ethereal.jobs.turns import Lane, Unfinished

#: How long a stored step may wait unclaimed before it is announced again; doubles each time.
ANNOUNCE_AGAIN = timedelta(seconds=5)
ANNOUNCE_AT_MOST = timedelta(minutes=10)

#: The result of a step that is to be done again.
REDONE: Mapping[str, object] = {"redone": True}


def next_announcement(now: datetime, announcements: int) -> datetime:
    """When a step announced that many times is due for another announcement."""
    backed_off: timedelta = ANNOUNCE_AGAIN * 2 ** min(announcements, 10)
    return now + min(backed_off, ANNOUNCE_AT_MOST)


def announced_at(step: Step) -> datetime:
    """When a step that waits was announced last."""
    wait = next_announcement(step.announce_at, max(step.announcements - 1, 0)) - step.announce_at
    return step.announce_at - wait


@dataclass(frozen=True)
class Page:
    """Jobs newest first, and the cursor that continues after them."""

    jobs: Sequence[Job]
    cursor: int | None


@dataclass(frozen=True)
class Backlog:
    """How many jobs are pending, since when the first of them, and how many steps could be claimed."""

    jobs: int
    oldest: datetime | None
    steps: Mapping[StepName, int]


@dataclass(frozen=True)
class Idempotency:
    """A client's key for a request, and the digest that tells another request under the same key."""

    key: str
    digest: str


@dataclass(frozen=True)
class Released:
    """What the end of expired leases led to."""

    again: Sequence[tuple[JobId, StepKey]]
    failed: Sequence[JobId]


@dataclass(frozen=True)
class Stranded:
    """A job that waits for a kind of renderer, and since when."""

    job_id: JobId
    route: str
    since: datetime


class JobStore(Protocol):
    """Durable jobs. A worker's writes quote their lease and raise LeaseLostError when it is no longer held.

    Every method raises StoreUnavailableError when the store does not answer; nothing is half done then.
    Over a network it may have been done whole all the same: asking again never does it twice.
    """

    def add(
        self,
        job: Job,
        first: StepKey,
        *,
        idempotency: Idempotency | None = None,
        most: Unfinished | None = None,
    ) -> Job:
        """Store a pending job with its first step and return it as stored.

        Under a known idempotency key return the earlier job; raise ConflictError when its digest differs, and
        TooManyJobsError when it would be more than `most` that live.
        """
        ...

    def unfinished(self, client: str) -> Unfinished:
        """How many jobs live: in all, and of this client."""
        ...

    def get(self, job_id: JobId) -> Job:
        """Raise NotFoundError if there is no such job."""
        ...

    def get_many(self, ids: Collection[JobId]) -> Mapping[JobId, Job]:
        """Those of these jobs that there are."""
        ...

    def list(
        self,
        *,
        status: JobStatus | None = None,
        type_: JobType | None = None,
        limit: int = 50,
        cursor: int | None = None,
    ) -> Page: ...

    def steps(self, job_id: JobId) -> Sequence[Step]: ...

    def queue_position(self, job_id: JobId) -> int | None:
        """Pending jobs whose turn comes before this one's; None unless it is pending.

        The first of every client, then the second of every client, in the order in which they came.
        """
        ...

    def counts(self) -> Mapping[JobStatus, int]: ...

    def claim(
        self,
        job_id: JobId,
        step: StepKey,
        *,
        owner: str,
        worker: str = "",
        now: datetime,
        lease: timedelta,
        time_limit: timedelta,
    ) -> Claim:
        """Start the next attempt of a waiting step; no lease of it outlasts `now + time_limit`.

        Raise ConflictError unless the step waits, its time has come and the job is not final, and for a step
        that took its worker along twice while another such runs. `owner` must be new for each claim, `worker`
        is the name under which failures are remembered.
        """
        ...

    def renew(self, held: Lease, *, now: datetime, lease: timedelta) -> None: ...

    def report(self, held: Lease, *, stage: str, progress: float, now: datetime, lease: timedelta) -> None:
        """Renew, and tell people how far the job is. Progress never falls."""
        ...

    def commit(
        self,
        held: Lease,
        *,
        now: datetime,
        following: Sequence[StepKey] = (),
        join: StepKey | None = None,
        result: Mapping[str, object] | None = None,
        route: str | None = None,
    ) -> bool:
        """End the step well and store the steps that follow, for the kind of renderer that `route` names.

        `join` is stored when this was the last unfinished step of its name; return whether it was. A second
        run of the step is void.
        """
        ...

    def hear(
        self,
        held: Lease,
        *,
        call: str,
        number: int,
        stage: str,
        progress: float,
        now: datetime,
        until: datetime,
    ) -> bool:
        """Note a sign of life of the call elsewhere that does the held step, and tell people how far it is.

        The first call that is heard of has the attempt, until `until`; any other one raises LeaseLostError.
        Signs are numbered: return False, and change nothing, when one no older than this was heard before.
        """
        ...

    def silent(self, *, before: datetime) -> Sequence[Step]:
        """Running steps of live jobs that a call elsewhere does, and that was last heard of `before` then."""
        ...

    def finish(self, held: Lease, *, result: Mapping[str, object], now: datetime) -> Job:
        """End the job well."""
        ...

    def fail(
        self,
        held: Lease,
        error: JobError,
        *,
        now: datetime,
        retry_at: datetime | None,
        blame: bool = True,
    ) -> Job:
        """End the attempt: the step waits until `retry_at`, or the job has failed when that is None.

        A second run is void instead, and its job goes on. The failure is kept with the step, and the worker's
        name with it, unless nobody is to `blame`.
        """
        ...

    def failures(self, job_id: JobId, worker: str) -> int:
        """How many attempts of the job's steps ended badly on this worker."""
        ...

    def redo(self, held: Lease, steps: Sequence[StepKey], *, now: datetime) -> None:
        """Let these steps, which ended well, wait to be done again, and end the held step until they are.

        Their results say `redone`, and no more. The held step comes back as the `join` of the last of them.
        """
        ...

    def long_running(self, *, before: datetime) -> Sequence[JobId]:
        """Jobs that live and of which a chunk runs since `before` or longer."""
        ...

    def call_second(self, first: Lease, *, now: datetime, most: int) -> bool:
        """Store a second run of a chunk for its kind of renderer, if attempt `first` of it still runs.

        Not while there is one, nor when `most` were claimed already. Return whether it was stored.
        """
        ...

    def take_over(
        self,
        held: Lease,
        *,
        now: datetime,
        join: StepKey | None = None,
        result: Mapping[str, object] | None = None,
    ) -> bool:
        """End a second run well and, with it, its chunk: the attempt of the first run is fenced off.

        As `commit` in all else. LeaseLostError also means that the first run was quicker.
        """
        ...

    def cancel(self, job_id: JobId, *, now: datetime) -> Job:
        """Raise ConflictError if the job has ended. Its workers learn at their next write."""
        ...

    def release_expired(
        self, *, now: datetime, max_attempts: int, grace: timedelta = timedelta()
    ) -> Released:
        """End every expired lease: the step waits again, or the job fails when its attempts are spent.

        Those that ended by nobody's fault, as where a worker was stopped, do not count.
        It fails at once with TIME_LIMIT when the lease outlived the step's time, `grace` before its deadline:
        one that tidies up after that is silent, and was not lost.
        It counts as a failure of the worker. A second run is void.
        """
        ...

    def fail_overdue(self, type_: JobType, *, before: datetime, now: datetime) -> Sequence[JobId]:
        """Let live jobs of a type fail whose work began `before` then, and return them."""
        ...

    def take_due(self, *, now: datetime, limit: int = 500) -> Sequence[Announcement]:
        """Steps that wait and were not claimed in time: mark them announced once more and return them."""
        ...

    def tell_again(self, *, now: datetime, silence: timedelta = timedelta()) -> int:
        """Let every step that waits be due for an announcement, as if it were new; return how many.

        With `silence`, only those that were announced at least so long ago.
        """
        ...

    def queue_positions(self, ids: Collection[JobId]) -> Mapping[JobId, int]:
        """The queue positions of those of these jobs that are pending."""
        ...

    def backlog(self, *, now: datetime) -> Backlog: ...

    def take_turn(self, lane: Lane, *, route: str | None, now: datetime) -> Announcement | None:
        """The step whose turn it is among those that workers of this lane and kind of renderer could do.

        It is given to one caller. None unless several clients wait, for then one step is as good as another.
        """
        ...

    def forget_turns(self, *, before: datetime) -> None:
        """Forget when clients were served that were not since then."""
        ...

    def audio_in_use(self, audio_key: str) -> bool:
        """Whether a job that lives, or a complete render, was made from this audio."""
        ...

    def stranded(self, *, before: datetime) -> Sequence[Stranded]:
        """Jobs whose steps have a route, wait since `before` or longer, and none of which runs."""
        ...

    def note(self, job_id: JobId, *, stage: str, now: datetime) -> None:
        """Tell people why a live job none of whose steps runs goes no further. Else nothing changes."""
        ...

    def plan_again(self, job_id: JobId, *, now: datetime) -> bool:
        """Throw the chunks of a live job away and let its plan be made anew, unless a step runs."""
        ...

    def delete(self, job_id: JobId) -> None:
        """Forget a final job. Raise ConflictError while it lives."""
        ...

    def close(self) -> None: ...
