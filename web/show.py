"""A job as JSON, the same for every route, and its signed links."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath

from ethereal.jobs.model import Job, JobId, JobStatus, JobType
from ethereal.jobs.request import EditRequest, IngestRequest, JobRequest, RenderRequest, RenderResult
from ethereal.pipeline.eta import Eta
from ethereal.pipeline.progress import live_frames, progress_of
from ethereal.services import Services
from ethereal.storage.keys import StorageKey
from ethereal.storage.store import PEOPLE
from web.words import stage_words

_FORBIDDEN = '/\\:*?"<>|'


def job_json(services: Services, job: Job) -> dict[str, object]:
    """What a client sees of a job. Fields that do not apply yet are absent, but for the queue position."""
    return jobs_json(services, [job])[0]


def jobs_json(services: Services, jobs: Sequence[Job]) -> list[dict[str, object]]:
    """What a client sees of each of the jobs."""
    stands = zip(jobs, standings(services, jobs), strict=True)
    return [_as_seen(services, job, standing) for job, standing in stands]


@dataclass(frozen=True)
class Standing:
    """A job's place in the queue while it is pending, how far it is, and how long it may still take."""

    place: int | None
    percent: float
    eta: Eta | None


def standings(services: Services, jobs: Sequence[Job]) -> list[Standing]:
    """Where each of the jobs stands: two questions for all of them."""
    places = _places(services, [job.id for job in jobs if job.status is JobStatus.PENDING])
    live, now = live_frames(services, jobs), services.clock()
    return [Standing(places.get(job.id), *progress_of(job, live.get(job.id), now)) for job in jobs]


def _places(services: Services, pending: Sequence[JobId]) -> Mapping[JobId, int | None]:
    """The places of pending jobs: that of one is found without looking at every other."""
    if len(pending) == 1:
        return {pending[0]: services.jobs.queue_position(pending[0])}
    return services.jobs.queue_positions(pending) if pending else {}


def _as_seen(services: Services, job: Job, standing: Standing) -> dict[str, object]:
    eta = standing.eta
    body: dict[str, object | None] = {
        "jobId": job.id,
        "type": job.type,
        "status": job.status,
        "stage": job.stage,
        "message": stage_words(job, standing.place),
        "progress": round(standing.percent, 1),
        "attempt": job.attempt,
        "title": title_of(job),
        **_asked_for(job.request),
        "eta": {"seconds": round(eta.seconds), "low": round(eta.low), "high": round(eta.high)}
        if eta
        else None,
        "createdAt": instant(job.created_at),
        "updatedAt": instant(job.updated_at),
        "startedAt": instant(job.started_at),
        "finishedAt": instant(job.finished_at),
        **_outcome(services, job),
    }
    shown: dict[str, object] = {name: value for name, value in body.items() if value is not None}
    return {"stage": None, **shown, "queuePosition": standing.place}


def title_of(job: Job) -> str:
    """What people call the job: its title, else the name of its audio."""
    match job.request:
        case RenderRequest(title=title, filename=filename):
            return title or PurePath(filename).stem or "Untitled"
        case IngestRequest(filename=filename, url=url):
            return PurePath(filename).stem or url
        case EditRequest():
            return f"{job.type} of an edit".capitalize()


def result_of(job: Job) -> RenderResult | None:
    """What a render came to; None before its end, and for jobs of other types."""
    if job.result is None or job.type is not JobType.RENDER:
        return None
    return RenderResult.model_validate(job.result)


def sign_video(services: Services, job: Job, *, download: bool) -> str | None:
    """A link to the video, to play or to save it under a pleasant name."""
    result = result_of(job)
    if result is None:
        return None
    key = StorageKey(result.video_key)
    name = f"{_file_title(title_of(job))} – Ethereal{PurePath(key).suffix}"  # noqa: RUF001 — a dash between names
    return services.objects.sign_get(key, lifetime=PEOPLE, filename=name if download else None)


def sign_poster(services: Services, job: Job) -> str | None:
    """A link to the picture that stands for the video."""
    result = result_of(job)
    if result is None or result.poster_key is None:
        return None
    return services.objects.sign_get(StorageKey(result.poster_key), lifetime=PEOPLE)


def instant(time: datetime | None) -> str | None:
    """ISO-8601 in UTC with milliseconds."""
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z") if time else None


def _asked_for(request: JobRequest) -> dict[str, object | None]:
    match request:
        case RenderRequest():
            return {
                "assetId": request.asset_id,
                "template": request.template,
                "outputFormat": request.output_format,
                "fps": request.fps,
                "quality": request.quality,
                "container": request.container,
                "codec": request.codec,
                "background": request.background,
            }
        case IngestRequest():
            return {"sourceType": request.source_type, "url": request.url or None}
        case EditRequest():
            return {"assetId": request.recipe.asset_id}


def _outcome(services: Services, job: Job) -> dict[str, object | None]:
    if job.status is JobStatus.FAILED and job.error is not None:
        error = job.error
        return {"error": {"code": error.code, "message": error.message, "retryable": error.retryable}}
    if job.status is not JobStatus.COMPLETE:
        return {}
    result = result_of(job)
    return {
        "result": result.model_dump(mode="json", exclude_none=True) if result else job.result,
        "downloadUrl": sign_video(services, job, download=True) if result else sound_link(services, job),
        "posterUrl": sign_poster(services, job),
    }


def sound_link(services: Services, job: Job) -> str | None:
    """Where the sound is that an ingest, a preview or a save came to."""
    told = job.result or {}
    for name in ("previewKey", "preparedKey"):
        if name in told:
            return services.objects.sign_get(StorageKey(str(told[name])), lifetime=PEOPLE)
    return f"/api/audio/assets/{told['assetId']}/stream" if "assetId" in told else None


def _file_title(title: str) -> str:
    kept = "".join(letter for letter in title if letter.isprintable() and letter not in _FORBIDDEN)
    return kept.strip(" .")[:100] or "Untitled"
