"""The work on sound: taking it in. Steps are imported where they run."""

from __future__ import annotations

from ethereal.jobs.model import JobId
from tasks.app import app, services


@app.task(name="ingest_audio")
def ingest_audio(job_id: str) -> None:
    from ethereal.pipeline.ingest import ingest

    ingest(services(), JobId(job_id))
