"""The last step of a render elsewhere: its video is read and compared with what was said of it."""

from __future__ import annotations

import hashlib
from typing import BinaryIO

from ethereal.errors import NotFoundError, RenderError
from ethereal.jobs.model import JobId, Step
from ethereal.jobs.request import RenderResult
from ethereal.pipeline.attempt import Attempt, run_step
from ethereal.pipeline.reports import ACCEPT, DISPATCH
from ethereal.services import Services
from ethereal.storage import keys
from ethereal.storage.keys import StorageKey

_BLOCK = 1 << 20


def accept(services: Services, job_id: JobId) -> bool:
    """End the job with the video that was delivered, if it is the one that was reported."""
    return run_step(services, job_id, ACCEPT, _accept)


def _accept(attempt: Attempt) -> None:
    step = attempt.steps[DISPATCH]
    result = RenderResult.model_validate((step.result or {})["delivered"])
    if not _is_as_told(attempt, result):
        _render_again(attempt, step)
        return
    now, job = attempt.services.clock(), attempt.job
    seconds = (now - (job.started_at or now)).total_seconds()
    attempt.finish(result.model_copy(update={"render_seconds": seconds}).model_dump(mode="json"))
    attempt.services.objects.delete_prefix(keys.call_folder(job.id))


def _is_as_told(attempt: Attempt, result: RenderResult) -> bool:
    try:
        with attempt.services.objects.open(StorageKey(result.video_key)) as stream:
            return _sha256(stream, attempt, result.size_bytes) == result.sha256
    except NotFoundError:
        return False


def _sha256(stream: BinaryIO, attempt: Attempt, size: int) -> str:
    digest, beat, done = hashlib.sha256(), attempt.beat("checking", 97, 99), 0
    while block := stream.read(_BLOCK):
        digest.update(block)
        done += len(block)
        beat(min(done / max(size, 1), 1.0))
    return digest.hexdigest()


def _render_again(attempt: Attempt, step: Step) -> None:
    """Once more, from the start; a second video that is wrong is one too many."""
    if (step.result or {}).get("redone"):
        raise RenderError("the video that was delivered is not the one that was reported, twice")
    attempt.redo([step])
