"""What Prometheus reads: how much waits, and what was counted of steps, failures, leases and frames."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families as parsed
from prometheus_client.samples import Sample

from ethereal.errors import SceneFailedError
from ethereal.jobs.model import StepKey, StepName
from ethereal.meters.names import METRICS, Kind
from ethereal.pipeline.attempt import Attempt, run_step
from ethereal.pipeline.reap import reap
from ethereal.services import Limits
from tests.builders import add_job
from tests.web_builders import DAY, PREPARE, Web, open_web

UPLOAD = StepKey(StepName.UPLOAD_R2)


@pytest.fixture
def web(tmp_path: Path) -> Web:
    return open_web(tmp_path, limits=Limits(max_attempts=1))


Known = dict[tuple[str, ...], float]


def numbers(web: Web) -> Known:
    """Each sample by its name and the values of its labels, which come in the order of their names."""
    families = list(parsed(web.client.get("/metrics").get_data(as_text=True)))
    assert {family.type for family in families} == set(Kind)
    return {(sample.name, *ordered(sample)): sample.value for family in families for sample in family.samples}


def ordered(sample: Sample) -> list[str]:
    return [value for _, value in sorted(sample.labels.items())]


def test_an_idle_system_tells_zeros_where_an_alert_must_see_growth(web: Web) -> None:
    known = numbers(web)

    assert known["ethereal_oldest_pending_seconds",] == 0
    assert known["ethereal_leases_expired_total",] == 0
    assert known["ethereal_reaper_runs_total",] == 0
    assert known["ethereal_jobs", "pending"] == 0
    assert {name for name, *_ in known} <= {series for metric in METRICS for series in metric.series}


def test_what_waits_is_counted_by_its_step(web: Web) -> None:
    add_job(web.services)
    web.clock.turn(timedelta(seconds=90))
    job = add_job(web.services)
    run_step(web.services, job.id, PREPARE, lambda attempt: attempt.commit([UPLOAD]) and None)

    known = numbers(web)

    assert known["ethereal_queue_depth", "prepare_audio"] == 1
    assert known["ethereal_queue_depth", "upload_r2"] == 1
    assert known["ethereal_oldest_pending_seconds",] == 90


def test_steps_are_timed_by_how_they_ended(web: Web) -> None:
    def work(attempt: Attempt) -> None:
        web.clock.turn(timedelta(seconds=2))
        attempt.commit([UPLOAD])

    def lose(attempt: Attempt) -> None:
        web.services.jobs.cancel(attempt.job.id, now=web.clock())
        attempt.commit()

    run_step(web.services, add_job(web.services).id, PREPARE, work)
    run_step(web.services, add_job(web.services).id, PREPARE, lose)

    known = numbers(web)

    assert known["ethereal_step_seconds_bucket", "1.0", "done", "prepare_audio"] == 0
    assert known["ethereal_step_seconds_bucket", "2.5", "done", "prepare_audio"] == 1
    assert known["ethereal_step_seconds_bucket", "+Inf", "done", "prepare_audio"] == 1
    assert known["ethereal_step_seconds_count", "done", "prepare_audio"] == 1
    assert known["ethereal_step_seconds_sum", "done", "prepare_audio"] == 2
    assert known["ethereal_step_seconds_count", "lost", "prepare_audio"] == 1


def test_failures_and_lost_workers_are_counted_by_code(web: Web) -> None:
    def fail(attempt: Attempt) -> None:
        raise SceneFailedError("the picture was lost")

    run_step(web.services, add_job(web.services).id, PREPARE, fail)
    lost, minute = add_job(web.services), timedelta(minutes=1)
    web.services.jobs.claim(lost.id, PREPARE, owner="gone", now=web.clock(), lease=minute, time_limit=DAY)
    web.clock.turn(2 * minute)
    reap(web.services)
    reap(web.services)

    known = numbers(web)

    assert known["ethereal_failures_total", "SCENE_FAILED", "prepare_audio"] == 1
    assert known["ethereal_jobs_failed_total", "SCENE_FAILED", "render"] == 1
    assert known["ethereal_jobs_failed_total", "WORKER_LOST", "render"] == 1
    assert known["ethereal_leases_expired_total",] == 1
    assert known["ethereal_reaper_actions_total", "failed"] == 1
    assert known["ethereal_reaper_runs_total",] == 2
    assert known["ethereal_step_seconds_count", "failed", "prepare_audio"] == 1


def test_work_that_is_handed_back_is_no_failure(web: Web) -> None:
    def stop(attempt: Attempt) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_step(web.services, add_job(web.services).id, PREPARE, stop)

    assert not any(name == "ethereal_failures_total" for name, *_ in numbers(web))
