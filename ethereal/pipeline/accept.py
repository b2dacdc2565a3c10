"""The last step of a render elsewhere: its video is read and compared with what was said of it."""

from __future__ import annotations

import hashlib
from typing import BinaryIO

from ethereal.dispatch.messages import Brief
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
    known = {"render_seconds": (now - (job.started_at or now)).total_seconds()} | _costs(
        attempt, step, result
    )
    attempt.finish(result.model_copy(update=known).model_dump(mode="json"))
    attempt.services.live.clear(job.id)
    attempt.services.objects.delete_prefix(keys.call_folder(job.id))


def _costs(attempt: Attempt, step: Step, result: RenderResult) -> dict[str, float | None]:
    """What the render cost, and what was guessed when it was handed over."""
    cloud = attempt.services.cloud
    if cloud is None or cloud.prices is None or result.machine is None:
        return {}
    spent = cloud.prices.cost(result.machine, result.machine_seconds or 0.0)
    return {"cost_usd": spent, "estimated_cost_usd": _guessed(attempt, step)}


def _guessed(attempt: Attempt, step: Step) -> float | None:
    brief = keys.call_file(attempt.job.id, step.attempt, "brief.json")
    try:
        with attempt.services.objects.open(brief) as stream:
            return Brief.model_validate_json(stream.read()).estimated_cost_usd
    except NotFoundError:  # an earlier try of this step has tidied up
        return None


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
