"""What a cloud reports of a call (progress, a video, a failure): each believed once, and if it fits."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ethereal.dispatch.prices import Prices
from ethereal.errors import ConflictError, InvalidInputError
from ethereal.jobs.model import JobStatus, StepStatus
from ethereal.pipeline.accept import accept
from ethereal.pipeline.dispatch import dispatch
from ethereal.pipeline.progress import live_progress
from ethereal.pipeline.reports import ACCEPT, take_report
from ethereal.services import Services
from ethereal.storage import keys
from tests.builders import HandClock, MemoryQueue
from tests.cloud_builders import (
    FRAMES,
    called,
    deliver,
    dispatcher_of,
    last,
    make_report,
    open_cloud_services,
    step_of,
)

MINUTE = timedelta(minutes=1)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def services(tmp_path: Path, clock: HandClock) -> Iterator[Services]:
    with open_cloud_services(tmp_path, clock) as opened:
        yield opened


def test_progress_moves_the_bar_and_never_back(services: Services) -> None:
    job = called(services)
    take_report(services, make_report(job, sequence=5, progress=64.0))
    take_report(services, make_report(job, sequence=4, progress=99.0, stage="planning"))

    told = services.jobs.get(job.id)
    assert (told.stage, told.progress) == ("rendering", 64)


def test_people_are_told_how_long_it_may_still_take(services: Services, clock: HandClock) -> None:
    job = called(services)
    for sequence, percent in ((5, 32.0), (6, 46.5), (7, 61.0)):
        take_report(services, make_report(job, sequence=sequence, progress=percent))
        clock.turn(MINUTE)

    percent, eta = live_progress(services, services.jobs.get(job.id))
    assert percent == 61
    assert eta is not None
    assert 60 < eta.seconds < 300


def test_a_video_is_believed_once_it_was_read(services: Services) -> None:
    job = called(services)
    report = make_report(job, result=deliver(services, job, sha256=hashlib.sha256(b"a video").hexdigest()))
    for _ in range(2):
        take_report(services, report)
    assert not services.jobs.get(job.id).status.is_final
    queue = services.queue
    assert isinstance(queue, MemoryQueue)
    assert [told.step for told in queue.announced].count(ACCEPT) == 1
    assert accept(services, job.id)

    ended = services.jobs.get(job.id)
    assert ended.status is JobStatus.COMPLETE
    assert ended.result is not None
    assert ended.result["videoKey"] == keys.render_output(job.id, "mp4")
    assert list(services.objects.list(keys.call_folder(job.id))) == []
    take_report(services, report)
    assert services.jobs.get(job.id) == ended


def test_a_video_that_is_not_there_as_told_is_not_taken(services: Services) -> None:
    job = called(services)
    result = deliver(services, job)
    for wrong in (
        {"size_bytes": 8},
        {"video_key": "renders/other/output.mp4"},
        {"poster_key": "uploads/a/original.jpg"},
    ):
        with pytest.raises(InvalidInputError):
            take_report(services, make_report(job, sequence=11, result=result.model_copy(update=wrong)))
    services.objects.delete(keys.render_output(job.id, "mp4"))
    with pytest.raises(InvalidInputError):
        take_report(services, make_report(job, sequence=12, result=result))
    assert step_of(services, job).status is StepStatus.RUNNING


def test_a_video_with_other_bytes_is_rendered_again_once(services: Services) -> None:
    job = called(services)
    take_report(services, make_report(job, result=deliver(services, job)))
    assert accept(services, job.id)
    assert services.jobs.get(job.id).status is JobStatus.PENDING
    assert dispatch(services, job.id)
    result = deliver(services, job)
    take_report(services, make_report(job, attempt=2, call_id="fc-2", result=result))
    assert not accept(services, job.id)

    ended = services.jobs.get(job.id)
    assert (ended.status, ended.error and ended.error.code) == (JobStatus.FAILED, "RENDER_FAILED")


def test_a_failure_is_tried_again_as_its_type_says(services: Services, clock: HandClock) -> None:
    job = called(services)
    report = make_report(job, error="BROWSER_CRASHED")
    for _ in range(2):
        take_report(services, report)
    clock.turn(MINUTE)
    assert dispatch(services, job.id)
    assert dispatcher_of(services).cancelled == ["fc-1"], "the call of the former attempt is called off"
    with pytest.raises(ConflictError):
        take_report(services, report)
    take_report(services, make_report(job, attempt=2, call_id="fc-2", error="INVALID_CONFIG"))

    ended = services.jobs.get(job.id)
    assert (ended.status, ended.error and ended.error.code) == (JobStatus.FAILED, "INVALID_CONFIG")


def test_what_nobody_foresaw_elsewhere_is_tried_again_and_not_told(services: Services) -> None:
    job = called(services)
    take_report(services, make_report(job, error="SOMETHING_NEW"))

    assert services.jobs.get(job.id).status is JobStatus.PENDING


def test_a_render_tells_what_it_cost_and_what_was_guessed_before(services: Services) -> None:
    cloud = services.cloud
    assert cloud is not None
    services = replace(services, cloud=replace(cloud, prices=Prices({"core": 0.05, "gib": 0.01}, 4, 8)))
    sha256 = hashlib.sha256(b"a video").hexdigest()
    measured = {"sha256": sha256, "machine": "cpu", "machine_seconds": 50.0, "frames": FRAMES}
    costs = []
    for _ in range(2):
        job = called(services)
        take_report(
            services, make_report(job, result=deliver(services, job, **measured), call_id=last(services))
        )
        assert accept(services, job.id)
        result = services.jobs.get(job.id).result or {}
        costs.append((result["costUsd"], result["estimatedCostUsd"]))

    spent = 50 * (4 * 0.05 + 8 * 0.01) / 3600
    assert [cost for cost, _ in costs] == [pytest.approx(spent)] * 2
    assert costs[0][1] != pytest.approx(spent), "the first is a guess"
    assert costs[1][1] == pytest.approx(spent), "the next knows what the one before took"


def test_a_gpu_without_a_price_has_no_cost() -> None:
    prices = Prices({"L4": 0.8, "core": 0.05}, 2, 8)

    assert prices.cost("L4,A10", 3600) == pytest.approx(0.9)
    assert prices.cost("B300", 3600) is None
