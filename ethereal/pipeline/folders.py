"""Where a host keeps what it can make again: prepared audio by job, plans by hash."""

from __future__ import annotations

from pathlib import Path

from ethereal.jobs.model import JobId
from ethereal.services import Services


def prepared_folder(services: Services, job_id: JobId) -> Path:
    return services.scratch / "prepared" / job_id


def plan_folder(services: Services, plan_hash: str, chunk_count: int) -> Path:
    return services.scratch / "plans" / f"{plan_hash}-{chunk_count}"
