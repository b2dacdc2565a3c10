"""What beat starts: putting right what went stale."""

from __future__ import annotations

import time

from ethereal.leftovers import sweep_leftovers
from ethereal.pipeline.library import sweep_assets
from ethereal.pipeline.reap import reap as reap_jobs
from ethereal.pipeline.reap import sweep_uploads
from ethereal.pipeline.retention import sweep_ended, sweep_plans
from ethereal.pipeline.turns import forget_turns
from ethereal.settings import read_settings
from tasks.app import app, services

_last_look = [float("-inf")]


@app.task(name="reap")
def reap() -> None:
    """Look, unless this process has just looked: ticks pile up while no worker hears them."""
    if time.monotonic() - _last_look[0] < read_settings().reaper_seconds / 2:
        return
    reap_jobs(services())
    _last_look[0] = time.monotonic()


@app.task(name="sweep")
def sweep() -> None:
    sweep_uploads(services())
    sweep_assets(services())
    sweep_plans(services())
    sweep_ended(services())
    forget_turns(services())
    sweep_leftovers(services().scratch)
