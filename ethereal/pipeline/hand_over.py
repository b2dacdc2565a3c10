"""Handing a prepared render to a call elsewhere."""

from __future__ import annotations

import hashlib
import logging

from ethereal.dispatch.dispatcher import CPU, RENDER, RENDER_GPU, Cloud
from ethereal.dispatch.messages import Order
from ethereal.dispatch.proof import make_token
from ethereal.errors import ConflictError, DispatchUnavailableError
from ethereal.jobs.request import RenderRequest
from ethereal.pipeline.attempt import Attempt
from ethereal.pipeline.brief import make_brief
from ethereal.pipeline.calls import cancel_call, end_calls
from ethereal.pipeline.estimate import count_frames, estimate, machine_of
from ethereal.storage import keys

logger = logging.getLogger(__name__)

_LONGEST_WAIT = 15.0


def hand_over(attempt: Attempt, cloud: Cloud) -> None:
    """Have the job rendered by a call, which has the attempt from then on.

    Killed between the call and its being stored, this leaves a call that says who it is by its first report:
    it then has the attempt, or is told to stop when the next one has begun.
    """
    end_calls(attempt.services, attempt.job.id)
    machine = machine_of(cloud, attempt.job.asked(RenderRequest))
    order = _make_order(attempt, cloud)
    call_id = _spawn(attempt, cloud, RENDER if machine == CPU else RENDER_GPU, order)
    now = attempt.services.clock()
    try:
        attempt.services.jobs.hear(
            attempt.lease,
            call=call_id,
            number=0,
            stage="dispatched-to-modal",
            progress=30.0,
            now=now,
            until=now + cloud.limit,
        )
    except ConflictError:
        cancel_call(cloud, call_id)
        raise


def _make_order(attempt: Attempt, cloud: Cloud) -> Order:
    job, number, objects = attempt.job, attempt.lease.attempt, attempt.services.objects
    frames = count_frames(attempt.services, job)
    guess = estimate(attempt.services.jobs, cloud, job.asked(RenderRequest), frames)
    logger.info("job %s will take about %.0f s in %d chunks", job.id, guess.seconds, guess.chunks)
    brief = make_brief(
        objects,
        job,
        number,
        frames=frames,
        chunks=guess.chunks,
        lifetime=cloud.limit,
        refuse_software=cloud.refuse_software,
        estimated_cost_usd=guess.cost_usd,
    )
    path, key = attempt.folder / "brief.json", keys.call_file(job.id, number, "brief.json")
    path.write_text(brief.model_dump_json())
    objects.put(key, path)
    return Order.model_validate(
        {
            "jobId": job.id,
            "attempt": number,
            "reportUrl": cloud.report_url,
            "reportToken": make_token(cloud.secret, job.id, number),
            "briefUrl": objects.sign_get(key, lifetime=cloud.limit),
            "briefSha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "requestId": job.request_id,
        }
    )


def _spawn(attempt: Attempt, cloud: Cloud, function: str, order: Order) -> str:
    """Call once, or again and again while nobody answers: of several calls the first that reports stays."""
    deadline, wait = attempt.services.clock() + cloud.patience, 1.0
    beat = attempt.beat("dispatching", 27, 27)
    while True:
        try:
            return cloud.dispatcher.spawn(function, order)
        except DispatchUnavailableError as error:
            if attempt.services.clock() >= deadline:
                raise
            logger.warning("%s: %s", attempt.lease, error)
        cloud.pause(wait)
        beat(1.0)
        wait = min(2 * wait, _LONGEST_WAIT)
