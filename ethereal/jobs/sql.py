"""The job store on libSQL: each move is one statement or one batch, guarded in its WHERE: one round trip.

A server may make a move and its answer get lost. What may be made twice is then made again: a claim finds
its owner, a renewal its attempt, and the end of an attempt is looked for when its lease is gone. The reaper's
moves are not: what they took comes up again at a later look.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from ethereal.errors import ConflictError, LeaseLostError, NotFoundError, TooManyJobsError
from ethereal.jobs import statements as sql
from ethereal.jobs.database import AnswerLostError, Arguments, ConstraintError, rows_of
from ethereal.jobs.lost import OVERDUE, OVERRUN, WORKER_LOST
from ethereal.jobs.model import (
    Announcement,
    Claim,
    Job,
    JobError,
    JobId,
    JobStatus,
    JobType,
    Lease,
    StepKey,
    StepStatus,
)
from ethereal.jobs.rows import at_ms, error_to_json, job_from_row, key_from_row, step_from_row, to_ms
from ethereal.jobs.sql_looks import SqlLooks
from ethereal.jobs.store import (
    ANNOUNCE_AGAIN,
    ANNOUNCE_AT_MOST,
    REDONE,
    Idempotency,
    Released,
    Stranded,
    next_announcement,
)
from ethereal.jobs.turns import TURN_LASTS, Lane, Unfinished, lane_of

#: A limit that no number of jobs comes to.
ANY_NUMBER = 1 << 60


class SqlJobStore(SqlLooks):
    """Keeps the promises of `JobStore` among any number of processes."""

    def add(
        self,
        job: Job,
        first: StepKey,
        *,
        idempotency: Idempotency | None = None,
        most: Unfinished | None = None,
    ) -> Job:
        arguments: Arguments = {
            "job": job.id,
            "type": job.type,
            "request": job.request.model_dump_json(),
            "key": idempotency.key if idempotency else None,
            "digest": idempotency.digest if idempotency else None,
            "request_id": job.request_id,
            "client": job.client,
            "in_all": most.in_all if most else ANY_NUMBER,
            "of_client": most.of_client if most else ANY_NUMBER,
            "now": to_ms(job.created_at),
            "announce_at": to_ms(next_announcement(job.created_at, 0)),
            "name": first.name,
            "idx": first.index,
        }
        found = self._add(job.id, arguments)
        if not found:
            raise self._full(job.client, most)
        stored = found[0]
        if idempotency and stored["idempotency_digest"] != idempotency.digest:
            raise ConflictError("this idempotency key was used for another request")
        return job_from_row(stored)

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
        arguments: Arguments = {
            "job": job_id,
            "name": step.name,
            "idx": step.index,
            "owner": owner,
            "worker": worker,
            "lane": lane_of(step.name),
            "now": to_ms(now),
            "until": to_ms(now + lease),
            "deadline": to_ms(now + time_limit),
        }
        moves = [sql.CLAIM_STEP, sql.CLAIM_JOB, sql.SERVED, sql.CLAIMED, sql.JOB_BY_ID]
        (_, _, _, claimed, found), _ = self._repeat(moves, arguments)
        if not found.rows:
            raise NotFoundError(f"no job {job_id}")
        if not claimed.rows:
            raise ConflictError(f"{step} of job {job_id} is not waiting")
        return Claim(job_from_row(rows_of(found)[0]), Lease(job_id, step, int(claimed.rows[0][0])))

    def renew(self, held: Lease, *, now: datetime, lease: timedelta) -> None:
        arguments = _held(held, now) | {"until": to_ms(now + lease)}
        (renewed,), _ = self._repeat([sql.RENEW], arguments)
        if not renewed.rows:
            raise _lost(held)

    def report(self, held: Lease, *, stage: str, progress: float, now: datetime, lease: timedelta) -> None:
        arguments = _held(held, now) | {
            "until": to_ms(now + lease),
            "stage": stage,
            "progress": progress,
        }
        (renewed, _), _ = self._repeat([sql.RENEW, sql.REPORT], arguments)
        if not renewed.rows:
            raise _lost(held)

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
        void = [sql.VOID_SECOND] if held.step == held.step.first else []
        moves = [sql.FOLLOW, *([sql.JOIN] if join else []), *void, sql.TOUCH, sql.END_STEP]
        arguments = _ending(held, now, join, result) | {
            "following": json.dumps([[key.name, key.index] for key in following]),
            "route": route,
        }
        results, again = self._repeat(moves, arguments)
        if results[-1].rows:
            return bool(join and results[1].rows)
        return self._ended_before(held, join, again)

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
        arguments = _held(held, now) | {
            "call": call,
            "number": number,
            "stage": stage,
            "progress": progress,
            "until": to_ms(until),
        }
        (fresh, _, heard), _ = self._repeat([sql.HEAR, sql.HEAR_JOB, sql.HEARD], arguments)
        if not heard.rows:
            raise _lost(held)
        return bool(fresh.rows)

    def finish(self, held: Lease, *, result: Mapping[str, object], now: datetime) -> Job:
        arguments = _held(held, now) | {"result": json.dumps(result)}
        return self._end([sql.FINISH_JOB, sql.FINISH_STEP], held, arguments, StepStatus.DONE)

    def fail(
        self,
        held: Lease,
        error: JobError,
        *,
        now: datetime,
        retry_at: datetime | None,
        blame: bool = True,
    ) -> Job:
        arguments = _held(held, now) | {"error": error_to_json(error), "code": error.code if blame else None}
        if held.step.is_second:
            return self._end([sql.FAIL_SECOND, sql.REST_JOB], held, arguments, StepStatus.VOID)
        if retry_at is None:
            return self._end([sql.FAIL_JOB, sql.FAIL_STEP], held, arguments, StepStatus.RUNNING)
        arguments["retry_at"] = to_ms(retry_at)
        return self._end([sql.RETRY_STEP, sql.REST_JOB], held, arguments, StepStatus.WAITING)

    def redo(self, held: Lease, steps: Sequence[StepKey], *, now: datetime) -> None:
        arguments = _held(held, now) | {
            "announce_at": to_ms(next_announcement(now, 0)),
            "steps": json.dumps([[step.name, step.index] for step in steps]),
            "redone": json.dumps(REDONE),
        }
        (_, ended, _), again = self._repeat([sql.REDO_STEPS, sql.VOID_STEP, sql.REST_JOB], arguments)
        if not ended.rows and not (again and self._ended(held, StepStatus.VOID)):
            raise _lost(held)

    def long_running(self, *, before: datetime) -> Sequence[JobId]:
        rows = self._batch([sql.LONG_RUNNING], {"before": to_ms(before)})[0].rows
        return [JobId(str(row[0])) for row in rows]

    def call_second(self, first: Lease, *, now: datetime, most: int) -> bool:
        arguments = _held(first, now) | {"announce_at": to_ms(next_announcement(now, 0)), "most": most}
        return bool(self._batch([sql.CALL_SECOND], arguments)[0].rows)

    def take_over(
        self,
        held: Lease,
        *,
        now: datetime,
        join: StepKey | None = None,
        result: Mapping[str, object] | None = None,
    ) -> bool:
        moves = [*([sql.TAKE_JOIN] if join else []), sql.TAKE_STEP, sql.TAKEN, sql.END_STEP]
        results, again = self._repeat(moves, _ending(held, now, join, result))
        if results[-1].rows:
            return bool(join and results[0].rows)
        return self._ended_before(held, join, again)

    def cancel(self, job_id: JobId, *, now: datetime) -> Job:
        arguments: Arguments = {"job": job_id, "now": to_ms(now)}
        (ended, found), again = self._repeat([sql.CANCEL, sql.JOB_BY_ID], arguments)
        if not found.rows:
            raise NotFoundError(f"no job {job_id}")
        job = job_from_row(rows_of(found)[0])
        if not ended.rows and not (again and job.status is JobStatus.CANCELLED):
            raise ConflictError(f"job {job_id} is {job.status}, cannot become cancelled")
        return job

    def release_expired(
        self, *, now: datetime, max_attempts: int, grace: timedelta = timedelta()
    ) -> Released:
        arguments: Arguments = {
            "now": to_ms(now),
            "max_attempts": max_attempts,
            "error": error_to_json(WORKER_LOST),
            "code": WORKER_LOST.code,
            "overrun": error_to_json(OVERRUN),
            "grace": round(grace.total_seconds() * 1000),
        }
        moves = [sql.VOID_EXPIRED, sql.FAIL_OVERRUN, sql.FAIL_SPENT, sql.RELEASE, sql.REST_RELEASED]
        _, overrun, spent, again, _ = self._batch(moves, arguments)
        failed = [JobId(str(row[0])) for row in [*overrun.rows, *spent.rows]]
        return Released([key_from_row(row) for row in rows_of(again)], failed)

    def fail_overdue(self, type_: JobType, *, before: datetime, now: datetime) -> Sequence[JobId]:
        error = error_to_json(OVERDUE)
        arguments: Arguments = {"type": type_, "before": to_ms(before), "now": to_ms(now), "error": error}
        return [JobId(str(row[0])) for row in self._batch([sql.FAIL_OVERDUE], arguments)[0].rows]

    def take_due(self, *, now: datetime, limit: int = 500) -> Sequence[Announcement]:
        arguments: Arguments = {
            "now": to_ms(now),
            "limit": limit,
            "again": round(ANNOUNCE_AGAIN.total_seconds() * 1000),
            "at_most": round(ANNOUNCE_AT_MOST.total_seconds() * 1000),
        }
        rows = rows_of(self._batch([sql.TAKE_DUE], arguments)[0])
        return [Announcement(*key_from_row(row), row["route"]) for row in rows]

    def tell_again(self, *, now: datetime, silence: timedelta = timedelta()) -> int:
        arguments: Arguments = {
            "now": to_ms(now),
            "silence": round(silence.total_seconds() * 1000),
            "again": round(ANNOUNCE_AGAIN.total_seconds() * 1000),
            "at_most": round(ANNOUNCE_AT_MOST.total_seconds() * 1000),
        }
        return len(self._batch([sql.TELL_AGAIN], arguments)[0].rows)

    def take_turn(self, lane: Lane, *, route: str | None, now: datetime) -> Announcement | None:
        arguments: Arguments = {
            "lane": lane,
            "route": route,
            "now": to_ms(now),
            "expired": to_ms(now - TURN_LASTS),
        }
        if not self._query(sql.SEVERAL_CLIENTS, {}).rows[0][0]:
            return None
        rows = rows_of(self._batch([sql.take_turn(lane.levels)], arguments)[0])
        return Announcement(*key_from_row(rows[0]), rows[0]["route"], turn=True) if rows else None

    def forget_turns(self, *, before: datetime) -> None:
        self._batch([sql.FORGET_TURNS], {"before": to_ms(before)})

    def audio_in_use(self, audio_key: str) -> bool:
        return bool(self._batch([sql.AUDIO_IN_USE], {"audio": audio_key})[0].rows)

    def stranded(self, *, before: datetime) -> Sequence[Stranded]:
        rows = rows_of(self._batch([sql.STRANDED], {"before": to_ms(before)})[0])
        return [Stranded(JobId(row["job_id"]), row["route"], at_ms(row["since"])) for row in rows]

    def note(self, job_id: JobId, *, stage: str, now: datetime) -> None:
        self._batch([sql.NOTE], {"job": job_id, "stage": stage, "now": to_ms(now)})

    def plan_again(self, job_id: JobId, *, now: datetime) -> bool:
        arguments: Arguments = {"job": job_id, "now": to_ms(now)}
        return bool(self._batch([sql.VOID_CHUNKS, sql.PLAN_AGAIN], arguments)[1].rows)

    def delete(self, job_id: JobId) -> None:
        if not self._batch([sql.DELETE_STEPS, sql.DELETE_JOB], {"job": job_id})[1].rows:
            job = self.get(job_id)
            raise ConflictError(f"job {job_id} is {job.status} and cannot be deleted")

    def close(self) -> None:
        self._database.close()

    def _add(self, job_id: JobId, arguments: Arguments) -> Sequence[dict[str, Any]]:
        moves = [sql.ADD_JOB, sql.ADD_FIRST_STEP, sql.JOB_ADDED]
        try:
            return rows_of(self._batch(moves, arguments)[-1])
        except AnswerLostError:
            with suppress(ConstraintError):  # then it was stored before the answer was lost
                return rows_of(self._batch(moves, arguments)[-1])
            return rows_of(self._query(sql.JOB_BY_ID, {"job": job_id}))

    def _full(self, client: str, most: Unfinished | None) -> TooManyJobsError:
        """Why a job was not stored; another one may have ended in the meantime."""
        try:
            self.unfinished(client).ensure_below(most or Unfinished(0, 0))
        except TooManyJobsError as full:
            return full
        return TooManyJobsError("as much work waits here as can be taken: try again")

    def _end(self, moves: Sequence[str], held: Lease, arguments: Arguments, leaves: StepStatus) -> Job:
        (first, _, found), again = self._repeat([*moves, sql.JOB_BY_ID], arguments)
        if not first.rows and not (again and self._ended(held, leaves)):
            raise _lost(held)
        return job_from_row(rows_of(found)[0])

    def _ended_before(self, held: Lease, join: StepKey | None, again: bool) -> bool:
        """Whether `join` is stored, if this attempt ended well and its answer was lost; else raise."""
        if not (again and self._ended(held, StepStatus.DONE)):
            raise _lost(held)
        return join is not None and any(step.key == join for step in self.steps(held.job_id))

    def _ended(self, held: Lease, leaves: StepStatus) -> bool:
        """Whether this very attempt has ended, in the way that leaves its step so."""
        arguments: Arguments = {"job": held.job_id, "name": held.step.name, "idx": held.step.index}
        for step in map(step_from_row, rows_of(self._query(sql.STEP, arguments))):
            return step.attempt == held.attempt and step.status is leaves and step.lease_expires_at is None
        return False


def _held(held: Lease, now: datetime) -> dict[str, str | int | float | None]:
    return {
        "job": held.job_id,
        "name": held.step.name,
        "idx": held.step.index,
        "attempt": held.attempt,
        "now": to_ms(now),
    }


def _ending(
    held: Lease, now: datetime, join: StepKey | None, result: Mapping[str, object] | None
) -> dict[str, str | int | float | None]:
    return _held(held, now) | {
        "announce_at": to_ms(next_announcement(now, 0)),
        "join_name": join.name if join else None,
        "join_idx": join.index if join else None,
        "result": None if result is None else json.dumps(result),
    }


def _lost(held: Lease) -> LeaseLostError:
    return LeaseLostError(f"attempt {held.attempt} no longer owns {held.step} of job {held.job_id}")
