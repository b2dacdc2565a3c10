"""What beat starts: putting right what went stale."""

from __future__ import annotations

from ethereal.leftovers import sweep_leftovers
from ethereal.pipeline.library import sweep_assets
from ethereal.pipeline.reap import reap as reap_jobs
from ethereal.pipeline.reap import sweep_uploads
from ethereal.pipeline.retention import sweep_ended, sweep_plans
from ethereal.pipeline.turns import forget_turns
from tasks.app import app, services


@app.task(name="reap")
def reap() -> None:
    reap_jobs(services())


@app.task(name="sweep")
def sweep() -> None:
    sweep_uploads(services())
    sweep_assets(services())
    sweep_plans(services())
    sweep_ended(services())
    forget_turns(services())
    sweep_leftovers(services().scratch)
