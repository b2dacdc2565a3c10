"""How much work a render elsewhere is and what it costs, from what finished ones took."""

from __future__ import annotations

import json
from dataclasses import dataclass
from statistics import median

from ethereal.dispatch.dispatcher import CPU, Cloud
from ethereal.jobs.model import Job, JobStatus, JobType
from ethereal.jobs.request import RenderRequest, RenderResult
from ethereal.jobs.store import JobStore
from ethereal.render.chunks import gop_frames_for
from ethereal.render.encoders.nvenc import H264_NVENC
from ethereal.render.formats import get_format, parse_fps
from ethereal.services import Services
from ethereal.storage import keys

#: Seconds of drawing and encoding a million pixels, before anything was measured.
_FIRST_GUESS = 0.06
_FIRST_GUESS_GPU = 0.012
_LOOKED_AT = 100


@dataclass(frozen=True)
class Estimate:
    """What a render will take, all its containers together, and in how many chunks it is drawn best."""

    seconds: float
    cost_usd: float | None
    chunks: int


def estimate(jobs: JobStore, cloud: Cloud, request: RenderRequest, frames: int) -> Estimate:
    """As many chunks as the client asked for, else as many as are worth a container each."""
    machine = machine_of(cloud, request)
    seconds = frames * seconds_per_frame(jobs, request, machine)
    gops = -(-frames // gop_frames_for(parse_fps(request.fps)))
    worth = max(1, min(round(seconds / cloud.chunk_seconds), gops, cloud.containers))
    cost = cloud.prices.cost(machine, seconds) if cloud.prices else None
    return Estimate(seconds, cost, request.chunks or worth)


def machine_of(cloud: Cloud, request: RenderRequest) -> str:
    """What draws a render: a GPU by its name, or `cpu`."""
    size = get_format(request.output_format)
    return cloud.machine_for(size.width * size.height, needs_gpu=request.codec == H264_NVENC.name)


def count_frames(services: Services, job: Job) -> int:
    """The frames of a job whose features are stored."""
    with services.objects.open(keys.render_features(job.id, "features.json")) as stream:
        return int(json.load(stream)["frameCount"])


def seconds_per_frame(jobs: JobStore, request: RenderRequest, machine: str) -> float:
    """What the latest renders of that format and quality took on that machine; a guess if there are none."""
    latest = jobs.list(status=JobStatus.COMPLETE, type_=JobType.RENDER, limit=_LOOKED_AT).jobs
    alike = [job.result for job in latest if job.result and _is_like(job.asked(RenderRequest), request)]
    results = [result for told in alike if (result := RenderResult.model_validate(told)).machine == machine]
    measured = [result.machine_seconds / result.frames for result in results if result.machine_seconds]
    if measured:
        return median(measured)
    size = get_format(request.output_format)
    guess = _FIRST_GUESS if machine == CPU else _FIRST_GUESS_GPU
    return guess * size.width * size.height / 1e6


def _is_like(one: RenderRequest, other: RenderRequest) -> bool:
    return (one.output_format, one.quality) == (other.output_format, other.quality)
