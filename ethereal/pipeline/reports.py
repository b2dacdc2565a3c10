"""Reports of renderers elsewhere: heard once, under the attempt that they name, and never simply believed."""

from __future__ import annotations

import logging

from ethereal import log
from ethereal.dispatch.messages import Brief, PartLinks, Report, Trouble
from ethereal.errors import (
    CallLostError,
    EtherealError,
    InvalidInputError,
    LeaseLostError,
    NotFoundError,
    error_named,
)
from ethereal.jobs.model import Announcement, Job, JobId, Lease, StepKey, StepName
from ethereal.jobs.request import RenderRequest, RenderResult
from ethereal.pipeline.announce import announce
from ethereal.pipeline.attempt import fail_attempt, fail_unexpectedly
from ethereal.pipeline.progress import DRAWING_FROM, DRAWING_TO
from ethereal.render.containers import get_container
from ethereal.services import Services
from ethereal.storage import keys
from ethereal.storage.keys import StorageKey

logger = logging.getLogger(__name__)

DISPATCH, ACCEPT = StepKey(StepName.DISPATCH_MODAL), StepKey(StepName.ACCEPT_VIDEO)
_LAST_PROGRESS = 97.0
_FRAMES_SHOWN = 1000


def take_report(services: Services, report: Report) -> None:
    """Take in what a renderer says. The same report taken twice changes nothing.

    Raise NotFoundError for an unknown job, LeaseLostError for an attempt that is over or another call's,
    InvalidInputError for a video that is not there as described.
    """
    job = services.jobs.get(JobId(report.job_id))
    with log.bind(jobId=job.id, attempt=report.attempt, requestId=job.request_id):
        _take_once(services, job, report)


def _take_once(services: Services, job: Job, report: Report) -> None:
    held = Lease(job.id, DISPATCH, report.attempt)
    try:
        _take(services, job, held, report)
    except LeaseLostError:
        if report.status == "progress" or not _was_heard(services, report):
            raise


def _take(services: Services, job: Job, held: Lease, report: Report) -> None:
    is_fresh = _hear(services, held, report)
    if report.status != "progress":
        logger.info("call %s: %s", report.call_id, report.status)
    if is_fresh and report.stage == "rendering" and report.progress is not None:
        _show(services, job, report.progress)
    if report.result is not None:
        _join(services, job, report)
        _complete(services, job, held, report.result)
    elif report.error is not None:
        _fail(services, held, report.error)


def _hear(services: Services, held: Lease, report: Report) -> bool:
    now, cloud = services.clock(), services.cloud
    return services.jobs.hear(
        held,
        call=report.call_id,
        number=report.sequence,
        stage=report.stage or "uploading",
        progress=min(report.progress or 0.0, _LAST_PROGRESS),
        now=now,
        until=now + (cloud.limit if cloud else services.limits.step),
    )


def _show(services: Services, job: Job, percent: float) -> None:
    """Let people know how long it may take, as if the video had that many frames, drawn by one worker."""
    done = (percent - DRAWING_FROM) / (DRAWING_TO - DRAWING_FROM)
    services.live.start(job.id, _FRAMES_SHOWN, [_FRAMES_SHOWN])
    services.live.put(job.id, 0, round(_FRAMES_SHOWN * min(max(done, 0.0), 1.0)))


def _was_heard(services: Services, report: Report) -> bool:
    """Whether this very last report ended the attempt."""
    steps = {step.key: step for step in services.jobs.steps(JobId(report.job_id))}
    call = steps[DISPATCH].call if DISPATCH in steps else None
    return call is not None and (call.id, call.attempt, call.sequence) == (
        report.call_id,
        report.attempt,
        report.sequence,
    )


def _join(services: Services, job: Job, report: Report) -> None:
    """Make the video of its parts, if it came in parts. Safe to repeat, as a report may come twice."""
    links = _part_links(services, job, report.attempt)
    video = keys.render_output(job.id, get_container(job.asked(RenderRequest).container).extension)
    if links is None:
        return
    if report.parts is None:
        services.objects.drop_parts(video, links.upload_id)
        return
    try:
        services.objects.join_parts(video, links.upload_id, count=report.parts)
    except NotFoundError as error:
        raise InvalidInputError("the video is not there", {"parts": [str(error)]}) from error


def _part_links(services: Services, job: Job, attempt: int) -> PartLinks | None:
    try:
        with services.objects.open(keys.call_file(job.id, attempt, "brief.json")) as stream:
            return Brief.model_validate_json(stream.read()).video_parts
    except NotFoundError:
        return None


def _complete(services: Services, job: Job, held: Lease, result: RenderResult) -> None:
    """Have a worker look at the video before the job ends: reading all of it takes its time."""
    _check_keys(job, result)
    try:
        found = services.objects.stat(StorageKey(result.video_key))
    except NotFoundError as error:
        raise InvalidInputError("the video is not there", {"result.videoKey": ["is not there"]}) from error
    if found.size != result.size_bytes:
        raise InvalidInputError(
            "the video is another one", {"result.sizeBytes": [f"the object has {found.size} bytes"]}
        )
    step = next(step for step in services.jobs.steps(job.id) if step.key == DISPATCH)
    told = {**(step.result or {}), "delivered": result.model_dump(mode="json")}
    services.jobs.commit(held, now=services.clock(), following=[ACCEPT], result=told)
    announce(services, [Announcement(job.id, ACCEPT)])


def _check_keys(job: Job, result: RenderResult) -> None:
    container = get_container(job.asked(RenderRequest).container)
    given = {
        "result.videoKey": (result.video_key, keys.render_output(job.id, container.extension)),
        "result.posterKey": (result.poster_key, keys.render_poster(job.id)),
        "result.contactKey": (result.contact_key, keys.render_contact(job.id)),
    }
    wrong = {field: [f"must be {ours}"] for field, (told, ours) in given.items() if told != ours}
    if wrong:
        raise InvalidInputError("these are not the keys of this job", wrong)


def _fail(services: Services, held: Lease, trouble: Trouble) -> None:
    kind = error_named(trouble.code)
    if kind is EtherealError:
        fail_unexpectedly(services, held)
    elif issubclass(kind, LeaseLostError):
        fail_attempt(services, held, CallLostError(f"the call was turned away: {trouble.message}"))
    else:
        fail_attempt(services, held, kind(trouble.message))
