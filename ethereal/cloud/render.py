"""A whole render, as one call does it: plan, deal out, draw, join, upload, and say how it ended."""

from __future__ import annotations

import hashlib
import json
import logging
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from ethereal import log
from ethereal.cloud.deal import draw_chunks
from ethereal.cloud.links import fetch, put
from ethereal.cloud.machine import Machine
from ethereal.cloud.parts import put_in_parts
from ethereal.cloud.reporter import Post, Reporter
from ethereal.dispatch.messages import Brief, Order, Report, read_message
from ethereal.errors import EtherealError, InvalidInputError, LeaseLostError, RendererMismatchError
from ethereal.jobs.request import RenderResult
from ethereal.pipeline.prepared import CANONICAL
from ethereal.render.assemble import VideoResult, assemble
from ethereal.render.capture.driver import is_gpu
from ethereal.render.plan import Plan
from ethereal.render.poster import make_contact_sheet, make_poster
from ethereal.render.requested import read_request
from ethereal.render.warm import WarmRenderer

logger = logging.getLogger(__name__)


def render_call(order: Order, call_id: str, machine: Machine, post: Post) -> Report:
    """Carry an order out. Return the last report, which is for the caller to deliver; errors are reported."""
    reporter = Reporter(order, call_id, post)
    with log.bind(jobId=order.job_id, attempt=order.attempt, requestId=order.request_id):
        return _carry_out(order, machine, reporter)


def _carry_out(order: Order, machine: Machine, reporter: Reporter) -> Report:
    try:
        reporter.ask("starting", 30)
        return reporter.complete(*_render(order, machine, reporter))
    except LeaseLostError as lost:
        logger.info("stopped: %s", lost)
        return reporter.failed(lost)
    except EtherealError as error:
        logger.warning("attempt %d of job %s: %s: %s", order.attempt, order.job_id, error.code, error)
        return reporter.failed(error)
    except Exception:
        logger.exception("attempt %d of job %s failed unexpectedly", order.attempt, order.job_id)
        return reporter.failed(EtherealError("Something went wrong on our side."))
    finally:
        reporter.close()


def _render(order: Order, machine: Machine, reporter: Reporter) -> tuple[RenderResult, int | None]:
    """Return what was made, and how many parts of its video are to be joined."""
    started = time.monotonic()
    machine.scratch.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=machine.scratch) as name:
        folder = Path(name)
        brief = _fetch_brief(order, machine, folder)
        with WarmRenderer(machine.open_renderer) as warm:
            plan = _plan(brief, machine, reporter, warm, folder)
            chunks = draw_chunks(plan, brief, machine, reporter, warm, folder)
        video = assemble(
            folder / "plan", chunks.files, folder / "video", beat=reporter.beat("assembling", 90, 95)
        )
        parts = _deliver(brief, video, machine, reporter, folder)
        seconds = chunks.seconds_elsewhere + time.monotonic() - started
        return _result(brief, plan, video, machine, seconds), parts


def _fetch_brief(order: Order, machine: Machine, folder: Path) -> Brief:
    path = fetch(order.brief_url, folder / "brief.json", patience=machine.patience)
    if hashlib.sha256(path.read_bytes()).hexdigest() != order.brief_sha256:
        raise InvalidInputError("the brief is not the one that the order names")
    return read_message(Brief, json.loads(path.read_bytes()))


def _plan(brief: Brief, machine: Machine, reporter: Reporter, warm: WarmRenderer, folder: Path) -> Plan:
    inputs = folder / "inputs"
    for name, url in brief.inputs.items():
        fetch(url, inputs / name, patience=machine.patience, beat=reporter.beat("starting", 30, 30))
    request = read_request(
        brief.request,
        canonical=inputs / CANONICAL,
        features_dir=inputs,
        chunk_count=len(brief.chunks),
        width_of_farm=1,
    )
    plan = warm.make_plan(request, folder / "plan", beat=reporter.beat("planning", 30, 32))
    _check_gpu(plan, brief, machine)
    return plan


def _check_gpu(plan: Plan, brief: Brief, machine: Machine) -> None:
    drawn_by = plan.made_with.gl_renderer
    logger.info("drawn by %s on %s", drawn_by, machine.name)
    if machine.has_gpu and not is_gpu(drawn_by) and brief.refuse_software:
        raise RendererMismatchError(f"a GPU ({machine.name}) was asked for, but {drawn_by} draws")


def _deliver(
    brief: Brief, video: VideoResult, machine: Machine, reporter: Reporter, folder: Path
) -> int | None:
    poster = make_poster(video.path, folder / "poster.jpg")
    contact = make_contact_sheet(video.path, folder / "contact.jpg")
    reporter.ask("uploading", 95)  # a call whose attempt is over must not write where the next one writes
    beat, patience = reporter.beat("uploading", 95, 97), machine.patience
    put(brief.poster, poster, patience=patience, beat=beat)
    put(brief.contact, contact, patience=patience, beat=beat)
    if brief.video_parts and video.size_bytes > brief.video_parts.size:
        return put_in_parts(brief.video_parts, video.path, patience=patience, beat=beat)
    put(brief.video, video.path, patience=patience, beat=beat)
    return None


def _result(brief: Brief, plan: Plan, video: VideoResult, machine: Machine, seconds: float) -> RenderResult:
    drawn_by = plan.made_with.gl_renderer
    return RenderResult(
        video_key=brief.video_key,
        poster_key=brief.poster_key,
        contact_key=brief.contact_key,
        sha256=video.sha256,
        size_bytes=video.size_bytes,
        duration_seconds=float(video.duration),
        frames=video.frames,
        fps=str(video.fps),
        width=video.width,
        height=video.height,
        format=brief.request.output_format,
        plan_hash=plan.plan_hash,
        fingerprint=plan.fingerprint,
        render_seconds=seconds,
        chunks=len(plan.chunks),
        machine=machine.name,
        machine_seconds=seconds,
        gl_renderer=drawn_by,
        software_gl=not is_gpu(drawn_by),
    )
