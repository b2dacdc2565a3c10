"""Where a host keeps what it can make again: prepared audio by job, plans by hash."""

from __future__ import annotations

from pathlib import Path

from ethereal.jobs.model import JobId
from ethereal.services import Services

_PLANS = "plans"


def prepared_folder(services: Services, job_id: JobId) -> Path:
    return services.scratch / "prepared" / job_id


def plan_folder(services: Services, plan_hash: str, chunk_count: int) -> Path:
    return services.scratch / _PLANS / f"{plan_hash}-{chunk_count}"


def find_plan_folder(scratch: Path, plan_hash: str) -> Path | None:
    """A plan with that hash, however its chunks are dealt out, when this host keeps one."""
    return next(iter(sorted((scratch / _PLANS).glob(f"{plan_hash}-*"))), None)
