"""The chain of every job: prepare_audio → upload_r2 → dispatch_modal; accept_video ends a render elsewhere.

Steps are imported where they run: beat, Flower and the web app load these tasks too and do none of the work.
"""

from __future__ import annotations

from ethereal.jobs.model import JobId
from tasks.app import app, proceed, services


@app.task(name="prepare_audio")
def prepare_audio(job_id: str) -> None:
    from ethereal.pipeline.prepare import prepare

    proceed(prepare(services(), JobId(job_id)))


@app.task(name="upload_r2")
def upload_r2(job_id: str) -> None:
    from ethereal.pipeline.prepare import upload

    proceed(upload(services(), JobId(job_id)))


@app.task(name="accept_video")
def accept_video(job_id: str) -> None:
    from ethereal.pipeline.accept import accept

    accept(services(), JobId(job_id))


@app.task(name="dispatch_modal")
def dispatch_modal(job_id: str) -> None:
    from ethereal.pipeline.dispatch import dispatch

    proceed(dispatch(services(), JobId(job_id)))
