"""The job store in this process's memory: for tests and for renders that need no service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from ethereal.errors import ConflictError, LeaseLostError
from ethereal.jobs.hearing import heard
from ethereal.jobs.lost import OVERDUE, OVERRUN, WORKER_LOST, is_suspect
from ethereal.jobs.memory_looks import MemoryLooks
from ethereal.jobs.model import (
    AFTER_PLAN,
    ENDED,
    Announcement,
    Claim,
    Job,
    JobError,
    JobId,
    JobStatus,
    JobType,
    Lease,
    StepKey,
    StepName,
    StepStatus,
)
from ethereal.jobs.store import REDONE, Idempotency, Released, Stranded, announced_at, next_announcement
from ethereal.jobs.turns import Lane, Unfinished, Waiting, choose, lane_of


class MemoryJobStore(MemoryLooks):
    """Keeps every promise of `JobStore` within one process."""

    def __init__(self) -> None:
        super().__init__()
        self._keys: dict[str, tuple[str, JobId]] = {}
        self._sequence = 0
        self._served: dict[tuple[Lane, str], datetime] = {}

    def add(
        self,
        job: Job,
        first: StepKey,
        *,
        idempotency: Idempotency | None = None,
        most: Unfinished | None = None,
    ) -> Job:
        with self._lock:
            if idempotency and (known := self._keys.get(idempotency.key)):
                return self._same(known, idempotency)
            if job.id in self._jobs:
                raise ConflictError(f"job {job.id} exists")
            if most:
                self.unfinished(job.client).ensure_below(most)
            self._sequence += 1
            self._jobs[job.id] = replace(job, sequence=self._sequence)
            self._steps[job.id] = {}
            self._add_step(job.id, first, job.created_at)
            if idempotency:
                self._keys[idempotency.key] = (idempotency.digest, job.id)
            return self._jobs[job.id]

    def take_turn(self, lane: Lane, *, route: str | None, now: datetime) -> Announcement | None:
        with self._lock:
            living = [job for job in self._jobs.values() if not job.status.is_final]
            steps = [Waiting(job, step) for job in living for step in self._steps[job.id].values()]
            inside = [one for one in steps if one.step.key.name in lane.levels]
            served = {client: when for (where, client), when in self._served.items() if where is lane}
            step = choose(inside, served, now=now, route=route)
            if step is None:
                return None
            self._steps[step.job_id][step.key] = replace(step, turn_at=now)
            return Announcement(step.job_id, step.key, step.route, turn=True)

    def forget_turns(self, *, before: datetime) -> None:
        with self._lock:
            self._served = {one: when for one, when in self._served.items() if when >= before}

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
        with self._lock:
            job, waiting = self.get(job_id), self._steps[job_id].get(step)
            if job.status.is_final or waiting is None or waiting.status is not StepStatus.WAITING:
                raise ConflictError(f"{step} of job {job_id} is not waiting")
            if waiting.not_before > now:
                raise ConflictError(f"{step} of job {job_id} waits until {waiting.not_before}")
            if is_suspect(waiting) and self._suspect_runs(now):
                raise ConflictError(f"{step} of job {job_id} waits for another that took its worker along")
            if is_suspect(waiting) and self._suspect_runs(now):
                raise ConflictError(f"{step} of job {job_id} waits for another that took its worker along")
            attempt, deadline = waiting.attempt + 1, now + time_limit
            self._steps[job_id][step] = replace(
                waiting,
                status=StepStatus.RUNNING,
                attempt=attempt,
                owner=owner,
                worker=worker,
                claimed_at=now,
                deadline_at=deadline,
                lease_expires_at=min(now + lease, deadline),
            )
            self._served[lane_of(step.name), job.client] = now
            job = replace(
                job,
                status=JobStatus.PROCESSING,
                attempt=max(job.attempt, attempt),
                started_at=job.started_at or now,
                updated_at=now,
            )
            self._jobs[job_id] = job
            return Claim(job, Lease(job_id, step, attempt))

    def renew(self, held: Lease, *, now: datetime, lease: timedelta) -> None:
        with self._lock:
            step = self._held(held)
            until = min(now + lease, step.deadline_at or now + lease)
            self._steps[held.job_id][held.step] = replace(step, lease_expires_at=until)

    def report(self, held: Lease, *, stage: str, progress: float, now: datetime, lease: timedelta) -> None:
        with self._lock:
            self.renew(held, now=now, lease=lease)
            self._tell(held.job_id, stage, progress, now)

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
        with self._lock:
            self._end_step(held, now, result)
            for key in following:
                self._add_step(held.job_id, key, now, route)
            if held.step == held.step.first:
                self._void(held.job_id, held.step.second, now)
            return self._join(held.job_id, held.step.name, join, now)

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
        with self._lock:
            step = heard(self._held(held), call=call, number=number, now=now, until=until)
            if step is not None:
                self._steps[held.job_id][held.step] = step
                self._tell(held.job_id, stage, progress, now)
            return step is not None

    def finish(self, held: Lease, *, result: Mapping[str, object], now: datetime) -> Job:
        with self._lock:
            self._end_step(held, now, None)
            return self._end_job(held.job_id, JobStatus.COMPLETE, now, result=dict(result), progress=100.0)

    def fail(
        self,
        held: Lease,
        error: JobError,
        *,
        now: datetime,
        retry_at: datetime | None,
        blame: bool = True,
    ) -> Job:
        with self._lock:
            step = self._blamed(self._held(held), error) if blame else self._held(held)
            if held.step.is_second:
                self._steps[held.job_id][held.step] = step
                self._void(held.job_id, held.step, now)
            elif retry_at is None:
                self._steps[held.job_id][held.step] = replace(step, lease_expires_at=None, finished_at=now)
                return self._end_job(held.job_id, JobStatus.FAILED, now, error=error)
            else:
                self._wait_again(step, retry_at)
            self._rest(held.job_id, now)
            return self._jobs[held.job_id]

    def redo(self, held: Lease, steps: Sequence[StepKey], *, now: datetime) -> None:
        with self._lock:
            void = replace(self._held(held), status=StepStatus.VOID, lease_expires_at=None)
            known = self._steps[held.job_id]
            for key in steps:
                if key in known and known[key].status is StepStatus.DONE:
                    self._wait_again(replace(known[key], finished_at=None, result=REDONE), now)
                    known[key] = replace(known[key], announce_at=next_announcement(now, 0), announcements=1)
            known[held.step] = void
            self._rest(held.job_id, now)

    def long_running(self, *, before: datetime) -> Sequence[JobId]:
        with self._lock:
            return [
                job_id
                for job_id, steps in self._steps.items()
                if not self._jobs[job_id].status.is_final
                and any(
                    step.key == step.key.first
                    and step.status is StepStatus.RUNNING
                    and step.claimed_at is not None
                    and step.claimed_at <= before
                    for step in steps.values()
                )
            ]

    def call_second(self, first: Lease, *, now: datetime, most: int) -> bool:
        with self._lock:
            try:
                running = self._held(first)
            except LeaseLostError:
                return False
            steps, key = self._steps[first.job_id], first.step.second
            if known := steps.get(key):
                if known.status not in ENDED or known.attempt >= most:
                    return False
                steps[key] = replace(known, status=StepStatus.VOID)
            self._add_step(first.job_id, key, now, running.route)
            return True

    def take_over(
        self,
        held: Lease,
        *,
        now: datetime,
        join: StepKey | None = None,
        result: Mapping[str, object] | None = None,
    ) -> bool:
        with self._lock:
            self._held(held)
            steps = self._steps[held.job_id]
            first = steps[held.step.first]
            if first.status in ENDED:
                raise LeaseLostError(f"{first.key} of job {held.job_id} has ended")
            self._end_step(held, now, result)
            second = steps[held.step]
            steps[first.key] = replace(
                first,
                status=StepStatus.DONE,
                attempt=first.attempt + 1,
                owner=second.owner,
                worker=second.worker,
                claimed_at=second.claimed_at,
                lease_expires_at=None,
                finished_at=now,
                result=result,
            )
            job = self._jobs[held.job_id]
            self._jobs[job.id] = replace(job, attempt=max(job.attempt, first.attempt + 1))
            return self._join(held.job_id, first.key.name, join, now)

    def cancel(self, job_id: JobId, *, now: datetime) -> Job:
        with self._lock:
            self.get(job_id)
            return self._end_job(job_id, JobStatus.CANCELLED, now)

    def release_expired(
        self, *, now: datetime, max_attempts: int, grace: timedelta = timedelta()
    ) -> Released:
        with self._lock:
            again: list[tuple[JobId, StepKey]] = []
            failed: list[JobId] = []
            for step in [step for steps in self._steps.values() for step in steps.values()]:
                if not self._expired(step, now):
                    continue
                step = self._blamed(step, WORKER_LOST)
                if step.key.is_second:
                    self._steps[step.job_id][step.key] = step
                    self._void(step.job_id, step.key, now)
                    self._rest(step.job_id, now)
                elif step.overran(grace) or len(step.failures) >= max_attempts:
                    error = OVERRUN if step.overran(grace) else WORKER_LOST
                    self._end_job(step.job_id, JobStatus.FAILED, now, error=error)
                    failed.append(step.job_id)
                else:
                    self._wait_again(step, now)
                    self._rest(step.job_id, now)
                    again.append((step.job_id, step.key))
            return Released(again, failed)

    def fail_overdue(self, type_: JobType, *, before: datetime, now: datetime) -> Sequence[JobId]:
        with self._lock:
            jobs = [job for job in self._jobs.values() if job.type is type_ and not job.status.is_final]
            late = [job.id for job in jobs if job.started_at is not None and job.started_at < before]
            for job_id in late:
                self._end_job(job_id, JobStatus.FAILED, now, error=OVERDUE)
            return late

    def tell_again(self, *, now: datetime, silence: timedelta = timedelta()) -> int:
        with self._lock:
            told = [
                step
                for job_id, steps in self._steps.items()
                if not self._jobs[job_id].status.is_final
                for step in steps.values()
                if step.status is StepStatus.WAITING and step.announce_at > now
                if not silence or announced_at(step) <= now - silence
            ]
            for step in told:
                due = replace(step, announcements=0, announce_at=max(now, step.not_before))
                self._steps[step.job_id][step.key] = due
            return len(told)

    def take_due(self, *, now: datetime, limit: int = 500) -> Sequence[Announcement]:
        with self._lock:
            due = [
                step
                for job_id, steps in self._steps.items()
                if not self._jobs[job_id].status.is_final
                for step in steps.values()
                if step.status is StepStatus.WAITING and step.announce_at <= now
            ][:limit]
            for step in due:
                self._steps[step.job_id][step.key] = replace(
                    step,
                    announcements=step.announcements + 1,
                    announce_at=next_announcement(now, step.announcements),
                )
            return [Announcement(step.job_id, step.key, step.route) for step in due]

    def stranded(self, *, before: datetime) -> Sequence[Stranded]:
        with self._lock:
            found: dict[JobId, Stranded] = {}
            for job_id, steps in self._steps.items():
                waiting = [step for step in steps.values() if step.route and self._waits(step, before)]
                if waiting and self._idle(job_id):
                    since = min(step.not_before for step in waiting)
                    found[job_id] = Stranded(job_id, str(waiting[0].route), since)
            return list(found.values())

    def note(self, job_id: JobId, *, stage: str, now: datetime) -> None:
        with self._lock:
            if self._idle(job_id):
                self._jobs[job_id] = replace(self._jobs[job_id], stage=stage, updated_at=now)

    def plan_again(self, job_id: JobId, *, now: datetime) -> bool:
        with self._lock:
            if not self._idle(job_id):
                return False
            steps = self._steps[job_id]
            for key, step in steps.items():
                if key.name in AFTER_PLAN:
                    steps[key] = replace(step, status=StepStatus.VOID)
                elif key.name is StepName.PLAN_RENDER:
                    waiting = replace(step, status=StepStatus.WAITING, not_before=now, announce_at=now)
                    steps[key] = replace(waiting, result=None)
            return True

    def delete(self, job_id: JobId) -> None:
        with self._lock:
            if not self.get(job_id).status.is_final:
                raise ConflictError(f"job {job_id} has not ended")
            del self._jobs[job_id], self._steps[job_id]
            self._keys = {key: known for key, known in self._keys.items() if known[1] != job_id}

    def close(self) -> None:
        pass

    def _same(self, known: tuple[str, JobId], idempotency: Idempotency) -> Job:
        digest, job_id = known
        if digest != idempotency.digest:
            raise ConflictError("this idempotency key was used for another request")
        return self._jobs[job_id]
