"""/api/jobs/{id}/chunks: the chunks of a render one by one, and the sheet that shows all of it early."""

from __future__ import annotations

from dataclasses import asdict

from flask import Blueprint
from flask.typing import ResponseReturnValue

from ethereal.jobs.model import Job, JobId
from ethereal.pipeline.avoid import avoided_workers
from ethereal.pipeline.progress import ChunkState, chunk_states
from ethereal.services import Services
from ethereal.storage import keys
from ethereal.storage.store import PEOPLE
from web import access
from web.face import services

blueprint = Blueprint("api_chunks", __name__, url_prefix="/api/jobs")


@blueprint.get("/<job_id>/chunks")
@access.person_or_token
def show_chunks(job_id: str) -> ResponseReturnValue:
    job = services().jobs.get(JobId(job_id))
    steps = services().jobs.steps(job.id)
    chunks = [_chunk_json(chunk) for chunk in chunk_states(services(), job.id, steps)]
    contact = sign_contact(services(), job)
    return {"chunks": chunks, "avoidedWorkers": avoided_workers(steps), "contactUrl": contact}


def sign_contact(services: Services, job: Job) -> str | None:
    """A link to the contact sheet, once it was drawn."""
    key = keys.render_contact(job.id)
    return services.objects.sign_get(key, lifetime=PEOPLE) if services.objects.exists(key) else None


def _chunk_json(chunk: ChunkState) -> dict[str, object]:
    return {
        "index": chunk.index,
        "status": chunk.status,
        "frames": chunk.frames,
        "drawn": chunk.drawn,
        "attempt": chunk.attempt,
        "host": chunk.host,
        "seconds": {name: round(seconds, 3) for name, seconds in chunk.seconds.items()},
        "copied": chunk.copied,
        "reused": chunk.reused,
        "secondRun": chunk.second,
        "failures": [asdict(failure) for failure in chunk.failures],
    }
