from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from ethereal.jobs.model import JobStatus, StepKey, StepName
from ethereal.pipeline.progress import live_progress
from tests.builders import HandClock, add_job, make_services


def test_live_frames_move_the_bar_and_give_a_guess_once_their_rate_tells_something(tmp_path: Path) -> None:
    clock = HandClock()
    services = make_services(tmp_path, clock=clock)
    job = add_job(services)
    held = services.jobs.claim(
        job.id,
        StepKey(StepName.PREPARE_AUDIO),
        owner="one",
        now=clock(),
        lease=timedelta(seconds=30),
        time_limit=timedelta(hours=1),
    )
    services.live.start(job.id, 1000)
    assert live_progress(services, held.job) == (0, None)

    clock.turn(timedelta(seconds=5))
    services.live.put(job.id, 0, 10)
    percent, eta = live_progress(services, held.job)
    assert percent == pytest.approx(32.58)
    assert eta is None, "one frame in a hundred tells of the browser's start, not of the rate"

    clock.turn(timedelta(seconds=5))
    services.live.put(job.id, 0, 300)
    services.live.put(job.id, 1, 200)
    percent, eta = live_progress(services, held.job)
    assert percent == pytest.approx(61)
    assert eta is not None
    assert eta.seconds == pytest.approx(12)
    assert eta.low < 12 < eta.high

    services.jobs.release_expired(now=clock() + timedelta(minutes=1), max_attempts=3)
    waiting = services.jobs.get(job.id)
    assert waiting.status is JobStatus.PENDING
    assert live_progress(services, waiting) == (pytest.approx(61), None), "the bar waits where it was"
