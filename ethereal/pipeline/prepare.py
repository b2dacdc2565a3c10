"""The first two steps: the sound made canonical with its features, and put where any host finds it."""

from __future__ import annotations

import shutil
from pathlib import Path

from ethereal.jobs.model import JobId, StepKey, StepName
from ethereal.jobs.request import RenderRequest
from ethereal.pipeline.attempt import Attempt, run_step
from ethereal.pipeline.prepared import CANONICAL, FEATURE_FILES, ensure_prepared
from ethereal.services import Services
from ethereal.storage import keys


def prepare(services: Services, job_id: JobId) -> bool:
    """Decode, level and measure the job's audio on this host."""
    return run_step(services, job_id, StepKey(StepName.PREPARE_AUDIO), _prepare)


def upload(services: Services, job_id: JobId) -> bool:
    """Put the prepared audio under `renders/{jobId}/`, making it again when another host prepared it."""
    return run_step(services, job_id, StepKey(StepName.UPLOAD_R2), _upload)


def _prepare(attempt: Attempt) -> None:
    _ensure(attempt)
    attempt.beat("resolving-audio", 10, 10)(1.0)
    attempt.commit([StepKey(StepName.UPLOAD_R2)])


def _upload(attempt: Attempt) -> None:
    folder = _ensure(attempt)
    objects, job_id = attempt.services.objects, attempt.job.id
    beat = attempt.beat("uploading-audio", 12, 20)
    objects.put(keys.render_audio(job_id), folder / CANONICAL, beat=beat)
    for name in FEATURE_FILES:
        objects.put(keys.render_features(job_id, name), folder / name, beat=beat)
    attempt.beat("generating-url", 25, 25)(1.0)
    attempt.commit([StepKey(StepName.DISPATCH_MODAL)])
    shutil.rmtree(folder, ignore_errors=True)
    if attempt.job.asked(RenderRequest).audio_url:
        objects.delete(keys.render_source(job_id))


def _ensure(attempt: Attempt) -> Path:
    return ensure_prepared(
        attempt.services,
        attempt.job.id,
        attempt.job.asked(RenderRequest),
        folder=attempt.folder,
        beat_for=attempt.beat,
    )
