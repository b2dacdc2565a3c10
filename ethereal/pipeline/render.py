"""The farm's steps: one plans, one draws each chunk, one assembles. Plans and chunks travel as objects."""

from __future__ import annotations

import platform
from datetime import timedelta
from functools import partial
from pathlib import Path

from ethereal.beat import Beat
from ethereal.errors import ChunkCorruptError
from ethereal.jobs.model import JobId, StepKey, StepName
from ethereal.jobs.request import RenderRequest, RenderResult
from ethereal.jobs.store import REDONE
from ethereal.meters import count, observe
from ethereal.meters.names import FRAMES_DRAWN, RENDER_FPS
from ethereal.pipeline.attempt import Attempt, run_step
from ethereal.pipeline.avoid import leave_to_others
from ethereal.pipeline.chunk_objects import fetch_chunks, find_chunk, keep_chunk, redo_chunks, was_redone
from ethereal.pipeline.contact import CONTACT
from ethereal.pipeline.eta import note_predictions, told_etas
from ethereal.pipeline.plan_cache import keep_plan, open_plan, pack_plan
from ethereal.pipeline.prepared import CANONICAL, FEATURE_FILES
from ethereal.pipeline.progress import DRAWING_FROM, DRAWING_TO, drawing_percent
from ethereal.pipeline.reuse import draw_missing, reuse_gops
from ethereal.render.assemble import VideoResult
from ethereal.render.assemble import assemble as join_chunks
from ethereal.render.chunk import ChunkResult, render_chunk
from ethereal.render.containers import get_container
from ethereal.render.plan import Plan, PlanRequest
from ethereal.render.poster import make_contact_sheet, make_poster
from ethereal.render.requested import read_request
from ethereal.services import Services
from ethereal.storage import keys
from ethereal.storage.keys import StorageKey

PLAN = StepKey(StepName.PLAN_RENDER)
ASSEMBLE = StepKey(StepName.ASSEMBLE_VIDEO)
_LIVE_EVERY = timedelta(seconds=0.5)


def plan(services: Services, job_id: JobId) -> bool:
    """Decide everything about the picture, freeze it, and call for the chunks."""
    return not leave_to_others(services, job_id, PLAN) and run_step(services, job_id, PLAN, _plan)


def draw_chunk(services: Services, job_id: JobId, index: int) -> bool:
    """Draw and encode one chunk, unless it lies in the object store already."""
    step = StepKey(StepName.RENDER_CHUNK, index)
    return not leave_to_others(services, job_id, step) and run_step(services, job_id, step, _draw_chunk)


def assemble(services: Services, job_id: JobId) -> bool:
    """Join the chunks to the video, check it, and finish the job."""
    return run_step(services, job_id, ASSEMBLE, _assemble)


def _plan(attempt: Attempt) -> None:
    services, plan_dir = attempt.services, attempt.folder / "plan"
    made = services.renderer.make_plan(
        _plan_request(attempt),
        plan_dir,
        beat=attempt.beat("planning", 30, DRAWING_FROM),
    )
    drawn = reuse_gops(attempt, made, plan_dir)
    count, archive = len(made.chunks), pack_plan(plan_dir, attempt.folder / "plan.tar")
    services.objects.put(keys.plan_archive(made.plan_hash, count), archive)
    keep_plan(services, made.plan_hash, count, plan_dir)
    chunks = [StepKey(StepName.RENDER_CHUNK, chunk.index) for chunk in made.chunks]
    sizes = [chunk.frame_count for chunk in made.chunks]
    services.live.start(attempt.job.id, made.frame_count, sizes)
    decided = {
        "planHash": made.plan_hash,
        "frames": made.frame_count,
        "chunks": count,
        "chunkFrames": sizes,
        "drawn": drawn,
    }
    attempt.commit([CONTACT, *chunks], result=decided, route=services.route)
    attempt.announce([CONTACT, *chunks], route=services.route)


def _plan_request(attempt: Attempt) -> PlanRequest:
    request, inputs = attempt.job.asked(RenderRequest), attempt.folder / "inputs"
    for name in (CANONICAL, *FEATURE_FILES):
        attempt.services.objects.fetch(keys.render_features(attempt.job.id, name), inputs / name)
    return read_request(
        request,
        canonical=inputs / CANONICAL,
        features_dir=inputs,
        chunk_count=request.chunks,
        width_of_farm=attempt.services.farm_width,
    )


def _draw_chunk(attempt: Attempt) -> None:
    index = attempt.lease.step.index
    plan_dir, made = open_plan(attempt)
    drawn = ensure_chunk(attempt, plan_dir, made, beat=_drawing_beat(attempt, made, index))
    attempt.services.live.put(attempt.job.id, index, made.chunks[index].frame_count)
    if attempt.commit(join=ASSEMBLE, result=drawn):
        attempt.announce([ASSEMBLE])


def ensure_chunk(attempt: Attempt, plan_dir: Path, made: Plan, *, beat: Beat) -> dict[str, object]:
    """The record of the attempt's chunk, which is drawn unless it lies in the object store already."""
    index = attempt.lease.step.index
    name = made.chunk(index).name
    drawn = find_chunk(attempt, made.plan_hash, name) or _draw(attempt, plan_dir, made, index, beat)
    return {**drawn, **REDONE} if was_redone(attempt) else drawn


def _draw(attempt: Attempt, plan_dir: Path, made: Plan, index: int, beat: Beat) -> dict[str, object]:
    chunk = made.chunks[index]
    output = attempt.folder / chunk.name
    draw = partial(
        render_chunk,
        plan_dir,
        index,
        output,
        open_renderer=attempt.services.renderer,
        encoders=attempt.services.encoders,
        beat=beat,
    )
    began = attempt.services.clock()
    result = draw_missing(attempt, made, chunk, lambda drawn: draw(drawn=drawn))
    _count_frames(attempt.services, result, attempt.services.clock() - began)
    record = _record(result)
    keep_chunk(attempt, made.plan_hash, output, record)
    return record


def _count_frames(services: Services, result: ChunkResult, took: timedelta) -> None:
    """Tell the meters what was drawn, and how fast once the browser was there."""
    drawn = result.frame_count - result.copied_frames
    seconds = took.total_seconds() - result.timings["boot"]
    if drawn:
        count(services.meters, FRAMES_DRAWN, by=drawn)
    if drawn and seconds > 0:
        observe(services.meters, RENDER_FPS, drawn / seconds)


def _record(result: ChunkResult) -> dict[str, object]:
    return {
        "sha256": result.sha256,
        "sizeBytes": result.size_bytes,
        "frames": result.frame_count,
        "copiedFrames": result.copied_frames,
        "timings": dict(result.timings),
        "host": platform.node(),
    }


def _drawing_beat(attempt: Attempt, made: Plan, index: int) -> Beat:
    """Tells the frames of this chunk live, and the sum over all chunks to the store with each renewal."""
    live, job_id, frame_count = attempt.services.live, attempt.job.id, made.chunks[index].frame_count
    tell, clock = attempt.beat("rendering", 0, 100), attempt.services.clock
    told, before, begun = clock() - _LIVE_EVERY, _drawn_before(attempt, index), False

    def beat(fraction: float) -> None:
        nonlocal told, begun
        own = round(fraction * frame_count)
        if not begun:
            live.begin(job_id, index, own)
            begun = True
        if clock() - told < _LIVE_EVERY:
            return
        told = clock()
        frames = live.frames(job_id)
        # First of all: once a second run has ended the chunk, this one must not tell of fewer frames.
        tell(drawing_percent(frames.done if frames else 0, made.frame_count) / 100)
        live.put(job_id, index, max(before, own), own=own)
        if frames is not None:
            note_predictions(live, job_id, frames, told.timestamp())

    return beat


def _drawn_before(attempt: Attempt, index: int) -> int:
    """Frames of the chunk that an earlier attempt had drawn: the bar waits there and does not fall."""
    frames = attempt.services.live.frames(attempt.job.id)
    return frames.by_chunk.get(index, 0) if frames else 0


def _assemble(attempt: Attempt) -> None:
    plan_dir, made = open_plan(attempt)
    beat, output = attempt.beat("assembling", DRAWING_TO, 95), attempt.folder / "output"
    try:
        video = join_chunks(plan_dir, fetch_chunks(attempt, made), output, beat=beat)
    except ChunkCorruptError as error:
        redo_chunks(attempt, made, error)
    else:
        _deliver(attempt, made, video)


def _deliver(attempt: Attempt, made: Plan, video: VideoResult) -> None:
    services, output = attempt.services, video.path
    poster = make_poster(output, attempt.folder / "poster.jpg")
    contact = make_contact_sheet(output, attempt.folder / "contact.jpg")
    job_id, uploading = attempt.job.id, attempt.beat("uploading", 95, 99)
    services.objects.put(_output_key(attempt), output, beat=uploading)
    services.objects.put(keys.render_poster(job_id), poster)
    services.objects.put(keys.render_contact(job_id), contact)
    attempt.finish(_result(attempt, made, video).model_dump(mode="json"))
    services.live.clear(job_id)


def _output_key(attempt: Attempt) -> StorageKey:
    container = attempt.job.asked(RenderRequest).container
    return keys.render_output(attempt.job.id, get_container(container).extension)


def _result(attempt: Attempt, made: Plan, video: VideoResult) -> RenderResult:
    job, now = attempt.job, attempt.services.clock()
    return RenderResult(
        video_key=_output_key(attempt),
        poster_key=keys.render_poster(job.id),
        contact_key=keys.render_contact(job.id),
        sha256=video.sha256,
        size_bytes=video.size_bytes,
        duration_seconds=float(video.duration),
        frames=video.frames,
        fps=str(video.fps),
        width=video.width,
        height=video.height,
        format=job.asked(RenderRequest).output_format,
        plan_hash=made.plan_hash,
        fingerprint=made.fingerprint,
        render_seconds=(now - (job.started_at or now)).total_seconds(),
        chunks=len(made.chunks),
        etas=told_etas(attempt.services.live.frames(job.id), job.id, now.timestamp()),
    )
