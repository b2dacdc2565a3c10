"""The chain of every job: prepare_audio → upload_r2 → dispatch_modal."""

from __future__ import annotations

from ethereal.jobs.model import JobId
from ethereal.pipeline.dispatch import dispatch
from ethereal.pipeline.prepare import prepare, upload
from tasks.app import app, proceed, services


@app.task(name="prepare_audio")
def prepare_audio(job_id: str) -> None:
    proceed(prepare(services(), JobId(job_id)))


@app.task(name="upload_r2")
def upload_r2(job_id: str) -> None:
    proceed(upload(services(), JobId(job_id)))


@app.task(name="dispatch_modal")
def dispatch_modal(job_id: str) -> None:
    proceed(dispatch(services(), JobId(job_id)))
