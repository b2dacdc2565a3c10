"""Renders handed to a cloud: each call belongs to one attempt, and whatever ends it ends that once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ethereal.dispatch.messages import Brief
from ethereal.dispatch.proof import check_token
from ethereal.errors import (
    CallLostError,
    DispatchUnavailableError,
    LeaseLostError,
    TimeLimitError,
)
from ethereal.jobs.model import JobStatus
from ethereal.pipeline.accept import accept
from ethereal.pipeline.cancel import cancel
from ethereal.pipeline.dispatch import dispatch
from ethereal.pipeline.reap import reap
from ethereal.pipeline.reports import take_report
from ethereal.services import Services
from ethereal.storage import keys
from tests.builders import HandClock
from tests.cloud_builders import (
    SECRET,
    add_prepared,
    called,
    claimed_and_killed,
    deliver,
    dispatcher_of,
    make_report,
    open_cloud_services,
    step_of,
)

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def services(tmp_path: Path, clock: HandClock) -> Iterator[Services]:
    with open_cloud_services(tmp_path, clock) as opened:
        yield opened


def test_a_prepared_render_is_called_for_with_links_and_a_token_of_its_attempt(services: Services) -> None:
    job = add_prepared(services, chunks=3)
    assert dispatch(services, job.id)

    ((function, order),) = dispatcher_of(services).spawned
    assert (function, order.job_id, order.attempt) == ("render_video", job.id, 1)
    check_token(SECRET, order.report_token.get_secret_value(), job.id, 1)
    with services.objects.open(keys.call_file(job.id, 1, "brief.json")) as stream:
        data = stream.read()
    brief = Brief.model_validate_json(data)
    assert hashlib.sha256(data).hexdigest() == order.brief_sha256
    assert (len(brief.chunks), set(brief.inputs)) == (3, {"audio.flac", "features.json", "features.f32"})
    told = services.jobs.get(job.id)
    assert (told.status, told.stage, told.progress) == (JobStatus.PROCESSING, "dispatched-to-modal", 30)
    call = step_of(services, job).call
    assert call is not None
    assert (call.id, call.attempt) == ("fc-1", 1)


@pytest.mark.parametrize(
    ("format_", "function"), [("draft-720p", "render_video"), ("flat-1080p-portrait", "render_video_gpu")]
)
def test_large_formats_get_a_gpu(services: Services, format_: str, function: str) -> None:
    assert dispatch(services, add_prepared(services, output_format=format_).id)
    assert dispatcher_of(services).spawned[0][0] == function


def test_nvenc_gets_a_gpu_whatever_the_size(services: Services) -> None:
    assert dispatch(services, add_prepared(services, codec="h264-nvenc").id)
    assert dispatcher_of(services).spawned[0][0] == "render_video_gpu"


def test_a_second_message_calls_nobody(services: Services) -> None:
    job = add_prepared(services)
    assert dispatch(services, job.id)
    assert not dispatch(services, job.id)

    assert len(dispatcher_of(services).spawned) == 1


def test_a_dispatcher_that_is_away_for_a_minute_is_waited_for(services: Services) -> None:
    dispatcher_of(services).errors = [DispatchUnavailableError("away")] * 5
    job = add_prepared(services)
    assert dispatch(services, job.id)

    assert step_of(services, job).attempt == 1


def test_a_dispatcher_that_stays_away_lets_the_step_wait(services: Services, clock: HandClock) -> None:
    dispatcher_of(services).errors = [DispatchUnavailableError("away")] * 50
    job = add_prepared(services)
    assert not dispatch(services, job.id)

    assert services.jobs.get(job.id).status is JobStatus.PENDING
    dispatcher_of(services).errors.clear()
    clock.turn(MINUTE)
    assert dispatch(services, job.id)


def test_a_call_that_was_made_and_not_stored_has_the_attempt_by_its_first_report(
    services: Services, clock: HandClock
) -> None:
    job = add_prepared(services)
    claimed_and_killed(services, job.id)
    take_report(services, make_report(job, call_id="fc-orphan", stage="starting", progress=30.0))

    clock.turn(HOUR)
    assert reap(services).released == 0
    call = step_of(services, job).call
    assert call is not None
    assert call.id == "fc-orphan"
    take_report(services, make_report(job, call_id="fc-orphan", sequence=11, result=deliver(services, job)))


def test_a_call_that_was_made_and_not_stored_is_stopped_once_the_next_attempt_has_begun(
    services: Services, clock: HandClock
) -> None:
    job = add_prepared(services)
    claimed_and_killed(services, job.id)
    clock.turn(MINUTE)
    assert reap(services).released == 1
    assert dispatch(services, job.id)

    for report in (
        make_report(job, call_id="fc-orphan"),
        make_report(job, call_id="fc-orphan", result=deliver(services, job)),
        make_report(job, attempt=2, call_id="fc-orphan"),
    ):
        with pytest.raises(LeaseLostError):
            take_report(services, report)
    take_report(services, make_report(job, attempt=2))


def test_of_two_calls_for_one_attempt_the_later_heard_is_called_off(services: Services) -> None:
    job = add_prepared(services)
    cloud = services.cloud
    assert cloud is not None
    spawn = cloud.dispatcher.spawn

    def spawn_twice(function: str, order: object) -> str:
        take_report(services, make_report(job, call_id="fc-quick"))
        return spawn(function, order)  # type: ignore[arg-type]

    dispatcher_of(services).spawn = spawn_twice  # type: ignore[method-assign, assignment]
    assert not dispatch(services, job.id)

    assert dispatcher_of(services).cancelled == ["fc-1"]
    take_report(services, make_report(job, call_id="fc-quick", sequence=11))


def test_cancelling_calls_off_the_call_and_turns_its_reports_away(services: Services) -> None:
    job = called(services)
    cancel(services, job.id)

    assert dispatcher_of(services).cancelled == ["fc-1"]
    for report in (make_report(job), make_report(job, result=deliver(services, job))):
        with pytest.raises(LeaseLostError):
            take_report(services, report)
    assert services.jobs.get(job.id).status is JobStatus.CANCELLED


def test_a_job_is_cancelled_while_the_dispatcher_is_away(services: Services) -> None:
    job = called(services)
    dispatcher_of(services).errors = [DispatchUnavailableError("away")]

    assert cancel(services, job.id).status is JobStatus.CANCELLED


def test_a_call_that_is_heard_is_not_asked_after(services: Services, clock: HandClock) -> None:
    job = called(services)
    clock.turn(MINUTE)
    take_report(services, make_report(job))
    assert reap(services).settled == 0
    assert dispatcher_of(services).looked == []
    clock.turn(MINUTE)
    assert reap(services).settled == 0
    assert dispatcher_of(services).looked == ["fc-1"]


def test_lost_reports_do_not_lose_jobs(services: Services, clock: HandClock) -> None:
    job = called(services)
    sha256 = hashlib.sha256(b"a video").hexdigest()
    report = make_report(job, result=deliver(services, job, sha256=sha256))
    dispatcher_of(services).answers["fc-1"] = report
    clock.turn(MINUTE)

    assert reap(services).settled == 1
    assert accept(services, job.id)
    assert services.jobs.get(job.id).status is JobStatus.COMPLETE
    take_report(services, report)
    assert reap(services).settled == 0


@pytest.mark.parametrize("lost", ["it was killed", "it was forgotten"])
def test_a_call_that_ended_without_a_report_is_made_again_while_attempts_remain(
    services: Services, clock: HandClock, lost: str
) -> None:
    job = called(services)
    for number in (1, 2, 3):
        dispatcher_of(services).answers[f"fc-{number}"] = CallLostError(lost)
        clock.turn(MINUTE)
        assert reap(services).settled == 1
        clock.turn(MINUTE)
        assert dispatch(services, job.id) is (number < 3)

    ended = services.jobs.get(job.id)
    assert (ended.status, ended.error and ended.error.code) == (JobStatus.FAILED, "CALL_LOST")


def test_a_call_that_took_too_long_fails_its_job(services: Services, clock: HandClock) -> None:
    job = called(services)
    dispatcher_of(services).answers["fc-1"] = TimeLimitError("too long")
    clock.turn(MINUTE)
    reap(services)

    ended = services.jobs.get(job.id)
    assert (ended.status, ended.error and ended.error.code) == (JobStatus.FAILED, "TIME_LIMIT")


def test_a_call_that_returned_the_report_of_another_attempt_is_lost(
    services: Services, clock: HandClock
) -> None:
    job = called(services)
    dispatcher_of(services).answers["fc-1"] = make_report(job, attempt=7)
    clock.turn(MINUTE)
    assert reap(services).settled == 1

    assert services.jobs.get(job.id).status is JobStatus.PENDING


def test_nothing_is_settled_while_the_dispatcher_is_away(services: Services, clock: HandClock) -> None:
    job = called(services)
    clock.turn(MINUTE)
    dispatcher_of(services).errors = [DispatchUnavailableError("away")]

    assert reap(services).settled == 0
    assert services.jobs.get(job.id).status is JobStatus.PROCESSING


def test_a_call_that_outlasts_its_limit_is_called_off_and_made_again(
    services: Services, clock: HandClock
) -> None:
    job = called(services)
    clock.turn(3 * HOUR)
    assert reap(services).released == 1
    assert dispatch(services, job.id)

    assert dispatcher_of(services).cancelled == ["fc-1"]
    assert [order.attempt for _, order in dispatcher_of(services).spawned] == [1, 2]


def test_chunks_are_as_many_as_are_worth_a_container_each(services: Services) -> None:
    cloud = services.cloud
    assert cloud is not None
    for chunk_seconds, containers, chunks in ((60.0, 10, 1), (0.5, 10, 3), (0.5, 2, 2), (0.01, 100, 3)):
        terms = replace(cloud, chunk_seconds=chunk_seconds, containers=containers)
        job = add_prepared(services)
        assert dispatch(replace(services, cloud=terms), job.id)
        with services.objects.open(keys.call_file(job.id, 1, "brief.json")) as stream:
            assert len(Brief.model_validate_json(stream.read()).chunks) == chunks
