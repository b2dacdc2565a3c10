"""The farm: one task plans, one draws each chunk, one assembles. Steps are imported where they run."""

from __future__ import annotations

from ethereal.jobs.model import JobId
from tasks.app import app, services


@app.task(name="plan_render")
def plan_render(job_id: str) -> None:
    from ethereal.pipeline import render

    render.plan(services(), JobId(job_id))


@app.task(name="draw_contact")
def draw_contact(job_id: str) -> None:
    from ethereal.pipeline import contact

    contact.draw_contact(services(), JobId(job_id))


@app.task(name="render_chunk")
def render_chunk(job_id: str, index: int) -> None:
    from ethereal.pipeline import render

    render.draw_chunk(services(), JobId(job_id), index)


@app.task(name="second_run")
def second_run(job_id: str, index: int) -> None:
    from ethereal.pipeline.second_run import run_second

    run_second(services(), JobId(job_id), index)


@app.task(name="assemble_video")
def assemble_video(job_id: str) -> None:
    from ethereal.pipeline import render

    render.assemble(services(), JobId(job_id))
