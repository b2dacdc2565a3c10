"""The work on sound: taking it in, cutting it. Steps are imported where they run."""

from __future__ import annotations

from ethereal.jobs.model import JobId
from tasks.app import app, services


@app.task(name="ingest_audio")
def ingest_audio(job_id: str) -> None:
    from ethereal.pipeline.ingest import ingest

    ingest(services(), JobId(job_id))


@app.task(name="preview_edit")
def preview_edit(job_id: str) -> None:
    from ethereal.pipeline.edit import preview

    preview(services(), JobId(job_id))


@app.task(name="save_edit")
def save_edit(job_id: str) -> None:
    from ethereal.pipeline.edit import save

    save(services(), JobId(job_id))
