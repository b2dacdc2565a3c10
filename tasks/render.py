"""The farm: one task plans, one draws each chunk, one assembles."""

from __future__ import annotations

from ethereal.jobs.model import JobId
from ethereal.pipeline import render
from tasks.app import app, services


@app.task(name="plan_render")
def plan_render(job_id: str) -> None:
    render.plan(services(), JobId(job_id))


@app.task(name="render_chunk")
def render_chunk(job_id: str, index: int) -> None:
    render.draw_chunk(services(), JobId(job_id), index)


@app.task(name="assemble_video")
def assemble_video(job_id: str) -> None:
    render.assemble(services(), JobId(job_id))
