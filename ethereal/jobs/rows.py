"""Between rows of the job store and values: times as integer milliseconds, records as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from ethereal.jobs.model import (
    REQUEST_OF,
    Failure,
    Job,
    JobError,
    JobId,
    JobStatus,
    JobType,
    Step,
    StepKey,
    StepName,
    StepStatus,
)

Row = Mapping[str, Any]


def to_ms(when: datetime) -> int:
    return round(when.timestamp() * 1000)


def from_ms(value: int | None) -> datetime | None:
    return None if value is None else datetime.fromtimestamp(value / 1000, UTC)


def at_ms(value: int) -> datetime:
    return datetime.fromtimestamp(value / 1000, UTC)


def error_to_json(error: JobError) -> str:
    return json.dumps(asdict(error))


def job_from_row(row: Row) -> Job:
    return Job(
        id=JobId(row["id"]),
        type=JobType(row["type"]),
        status=JobStatus(row["status"]),
        stage=row["stage"],
        progress=float(row["progress"]),
        attempt=row["attempt"],
        request=REQUEST_OF[JobType(row["type"])].model_validate_json(row["request"]),
        result=json.loads(row["result"]) if row["result"] else None,
        error=JobError(**json.loads(row["error"])) if row["error"] else None,
        created_at=at_ms(row["created_at"]),
        updated_at=at_ms(row["updated_at"]),
        started_at=from_ms(row["started_at"]),
        finished_at=from_ms(row["finished_at"]),
        sequence=row["sequence"],
        request_id=row["request_id"],
        client=row["client"],
    )


def key_from_row(row: Row) -> tuple[JobId, StepKey]:
    return JobId(row["job_id"]), StepKey(StepName(row["name"]), row["idx"])


def step_from_row(row: Row) -> Step:
    job_id, key = key_from_row(row)
    return Step(
        job_id=job_id,
        key=key,
        status=StepStatus(row["status"]),
        attempt=row["attempt"],
        owner=row["owner"],
        worker=row["worker"],
        lease_expires_at=from_ms(row["lease_expires_at"]),
        deadline_at=from_ms(row["deadline_at"]),
        claimed_at=from_ms(row["claimed_at"]),
        finished_at=from_ms(row["finished_at"]),
        not_before=at_ms(row["not_before"]),
        announce_at=at_ms(row["announce_at"]),
        announcements=row["announcements"],
        route=row["route"],
        turn_at=from_ms(row["turn_at"]),
        result=json.loads(row["result"]) if row["result"] else None,
        failures=tuple(Failure(**told) for told in json.loads(row["failures"])),
    )
