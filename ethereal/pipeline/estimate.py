"""How much work a render elsewhere is, from what finished ones took."""

from __future__ import annotations

import json
from statistics import median

from ethereal.dispatch.dispatcher import CPU, Cloud
from ethereal.jobs.model import Job, JobStatus, JobType
from ethereal.jobs.request import RenderRequest, RenderResult
from ethereal.render.chunks import gop_frames_for
from ethereal.render.formats import get_format, parse_fps
from ethereal.services import Services
from ethereal.storage import keys

#: Seconds of drawing and encoding a million pixels, before anything was measured.
_FIRST_GUESS = 0.06
_FIRST_GUESS_GPU = 0.012
_LOOKED_AT = 100


def choose_chunks(services: Services, job: Job, cloud: Cloud, machine: str) -> int:
    """As many chunks as the client asked for, else as many as are worth a container each."""
    request, frames = job.asked(RenderRequest), count_frames(services, job)
    if request.chunks is not None:
        return request.chunks
    gops = -(-frames // gop_frames_for(parse_fps(request.fps)))
    worth = round(frames * seconds_per_frame(services, request, machine) / cloud.chunk_seconds)
    return max(1, min(worth, gops, cloud.containers))


def count_frames(services: Services, job: Job) -> int:
    """The frames of a job whose features are stored."""
    with services.objects.open(keys.render_features(job.id, "features.json")) as stream:
        return int(json.load(stream)["frameCount"])


def seconds_per_frame(services: Services, request: RenderRequest, machine: str) -> float:
    """What the latest renders of that format and quality took on that machine; a guess if there are none."""
    jobs = services.jobs.list(status=JobStatus.COMPLETE, type_=JobType.RENDER, limit=_LOOKED_AT).jobs
    alike = [job.result for job in jobs if job.result and _is_like(job.asked(RenderRequest), request)]
    results = [result for told in alike if (result := RenderResult.model_validate(told)).machine == machine]
    measured = [result.machine_seconds / result.frames for result in results if result.machine_seconds]
    if measured:
        return median(measured)
    size = get_format(request.output_format)
    guess = _FIRST_GUESS if machine == CPU else _FIRST_GUESS_GPU
    return guess * size.width * size.height / 1e6


def _is_like(one: RenderRequest, other: RenderRequest) -> bool:
    return (one.output_format, one.quality) == (other.output_format, other.quality)
