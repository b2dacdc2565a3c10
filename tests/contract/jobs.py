"""Jobs and moves for the contract of job stores."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from ethereal.jobs.model import Claim, Job, JobError, JobId, JobType, StepKey, StepName
from ethereal.jobs.request import RenderRequest
from ethereal.jobs.store import JobStore

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
LEASE = timedelta(seconds=30)
HOUR = timedelta(hours=1)
PREPARE = StepKey(StepName.PREPARE_AUDIO)
UPLOAD = StepKey(StepName.UPLOAD_R2)
ASSEMBLE = StepKey(StepName.ASSEMBLE_VIDEO)
CHUNKS = [StepKey(StepName.RENDER_CHUNK, index) for index in range(3)]
BROKEN = JobError(code="SCENE_FAILED", message="the scene did not draw", retryable=False)


def new_job(created_at: datetime = NOON) -> Job:
    return Job(
        id=JobId(str(uuid4())),
        type=JobType.RENDER,
        request=RenderRequest(audio_key="uploads/a/original.flac", filename="song.flac", title="Sóng"),
        created_at=created_at,
        updated_at=created_at,
        request_id="from-a-proxy-17",
    )


def add(store: JobStore, created_at: datetime = NOON) -> Job:
    return store.add(new_job(created_at), PREPARE)


def claim(store: JobStore, job: Job, step: StepKey = PREPARE, now: datetime = NOON) -> Claim:
    return store.claim(job.id, step, owner=str(uuid4()), now=now, lease=LEASE, time_limit=HOUR)


def to_chunks(store: JobStore, job: Job) -> list[Claim]:
    store.commit(claim(store, job).lease, now=NOON, following=CHUNKS)
    return [claim(store, job, chunk) for chunk in CHUNKS]
