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
from ethereal.pipeline.estimate import choose_chunks
from ethereal.render.formats import get_format
from ethereal.storage import keys

logger = logging.getLogger(__name__)

_LONGEST_WAIT = 15.0


def hand_over(attempt: Attempt, cloud: Cloud) -> None:
    """Have the job rendered by a call, which has the attempt from then on.

    Killed between the call and its being stored, this leaves a call that says who it is by its first report:
    it then has the attempt, or is told to stop when the next one has begun.
    """
    end_calls(attempt.services, attempt.job.id)
    size = get_format(attempt.job.asked(RenderRequest).output_format)
    machine = cloud.machine_for(size.width * size.height)
    order = _make_order(attempt, cloud, machine)
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


def _make_order(attempt: Attempt, cloud: Cloud, machine: str) -> Order:
    job, number, objects = attempt.job, attempt.lease.attempt, attempt.services.objects
    brief = make_brief(
        objects,
        job,
        number,
        chunks=choose_chunks(attempt.services, job, cloud, machine),
        lifetime=cloud.limit,
        refuse_software=cloud.refuse_software,
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
