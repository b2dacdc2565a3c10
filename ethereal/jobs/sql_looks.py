"""Looks at the job store on libSQL, and how its statements get to the database."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from ethereal.errors import NotFoundError
from ethereal.jobs import statements as sql
from ethereal.jobs.database import Arguments, Database, rows_of
from ethereal.jobs.model import Job, JobId, JobStatus, JobType, Step, StepName
from ethereal.jobs.rows import from_ms, job_from_row, step_from_row, to_ms
from ethereal.jobs.store import Backlog, Page
from ethereal.jobs.turns import Unfinished


class SqlLooks:
    """What of a `SqlJobStore` changes nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, job_id: JobId) -> Job:
        rows = rows_of(self._query(sql.JOB_BY_ID, {"job": job_id}))
        if not rows:
            raise NotFoundError(f"no job {job_id}")
        return job_from_row(rows[0])

    def get_many(self, ids: Collection[JobId]) -> Mapping[JobId, Job]:
        rows = rows_of(self._query(sql.JOBS_BY_IDS, {"ids": json.dumps(sorted(ids))}))
        return {job.id: job for job in map(job_from_row, rows)}

    def list(
        self,
        *,
        status: JobStatus | None = None,
        type_: JobType | None = None,
        limit: int = 50,
        cursor: int | None = None,
    ) -> Page:
        arguments = {"status": status, "type": type_, "cursor": cursor, "limit": limit + 1}
        jobs = [job_from_row(row) for row in rows_of(self._query(sql.LIST, arguments))]
        return Page(jobs[:limit], jobs[limit - 1].sequence if len(jobs) > limit else None)

    def steps(self, job_id: JobId) -> Sequence[Step]:
        rows = rows_of(self._query(sql.STEPS, {"job": job_id}))
        return sorted((step_from_row(row) for row in rows), key=lambda step: step.key)

    def queue_position(self, job_id: JobId) -> int | None:
        rows = rows_of(self._query(sql.QUEUE_POSITION, {"job": job_id}))
        if not rows:
            raise NotFoundError(f"no job {job_id}")
        return rows[0]["position"] if rows[0]["status"] == JobStatus.PENDING else None

    def queue_positions(self, ids: Collection[JobId]) -> Mapping[JobId, int]:
        rows = self._query(sql.QUEUE_POSITIONS, {"ids": json.dumps(sorted(ids))}).rows
        return {JobId(str(row[0])): int(row[1]) for row in rows}

    def backlog(self, *, now: datetime) -> Backlog:
        jobs, *steps = rows_of(self._query(sql.BACKLOG, {"now": to_ms(now)}))
        numbers = {StepName(row["name"]): int(row["number"]) for row in steps}
        return Backlog(jobs["number"], from_ms(jobs["oldest"]), numbers)

    def counts(self) -> Mapping[JobStatus, int]:
        found = {JobStatus(row[0]): int(row[1]) for row in self._query(sql.COUNTS, {}).rows}
        return {status: found.get(status, 0) for status in JobStatus}

    def unfinished(self, client: str) -> Unfinished:
        in_all, of_client = self._query(sql.UNFINISHED, {"client": client}).rows[0]
        return Unfinished(int(in_all), int(of_client))

    def silent(self, *, before: datetime) -> Sequence[Step]:
        return [step_from_row(row) for row in rows_of(self._query(sql.SILENT, {"before": to_ms(before)}))]

    def failures(self, job_id: JobId, worker: str) -> int:
        return int(self._query(sql.FAILURES, {"job": job_id, "worker": worker}).rows[0][0])

    def _query(self, statement: str, arguments: Arguments) -> Any:
        return self._database.query(statement, _used(statement, arguments))

    def _batch(self, moves: Sequence[str], arguments: Arguments) -> Sequence[Any]:
        return self._database.batch([(move, _used(move, arguments)) for move in moves])

    def _repeat(self, moves: Sequence[str], arguments: Arguments) -> tuple[Sequence[Any], bool]:
        return self._database.repeat([(move, _used(move, arguments)) for move in moves])


_NAME = re.compile(r":([a-z_]+)")


def _used(statement: str, arguments: Arguments) -> Arguments:
    """Only the arguments a statement names: a server refuses the others."""
    return {name: arguments[name] for name in set(_NAME.findall(statement))}
