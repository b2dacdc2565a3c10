"""Renders handed to a cloud: each call belongs to one attempt, and whatever ends it ends that once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ethereal.dispatch.messages import Brief
from ethereal.dispatch.prices import Prices
from ethereal.dispatch.proof import check_token
from ethereal.errors import (
    CallLostError,
    ConflictError,
    DispatchUnavailableError,
    InvalidInputError,
    LeaseLostError,
    TimeLimitError,
)
from ethereal.jobs.model import Job, JobId, JobStatus, Lease, StepStatus
from ethereal.pipeline.accept import accept
from ethereal.pipeline.cancel import cancel
from ethereal.pipeline.dispatch import dispatch
from ethereal.pipeline.progress import live_progress
from ethereal.pipeline.reap import reap
from ethereal.pipeline.reports import ACCEPT, take_report
from ethereal.services import Services
from ethereal.storage import keys
from ethereal.storage.r2 import R2ObjectStore
from tests.builders import HandClock, MemoryQueue, make_services
from tests.cloud_builders import (
    DISPATCH,
    FRAMES,
    SECRET,
    add_prepared,
    deliver,
    dispatcher_of,
    make_report,
    step_of,
    with_cloud,
)
from tests.standins.r2 import R2StandIn, open_r2

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@pytest.fixture(scope="module")
def r2() -> Iterator[R2StandIn]:
    with open_r2() as running:
        yield running


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def services(tmp_path: Path, clock: HandClock, r2: R2StandIn) -> Services:
    return with_cloud(make_services(tmp_path, clock=clock), clock, R2ObjectStore(r2.bucket()))


def again(services: Services, clock: HandClock) -> None:
    """Let the next try of a step be due."""
    clock.turn(MINUTE)


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
    again(services, clock)
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
    again(services, clock)
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
        again(services, clock)
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


def last(services: Services) -> str:
    """The id of the latest call."""
    return f"fc-{len(dispatcher_of(services).spawned)}"


def called(services: Services) -> Job:
    job = add_prepared(services)
    assert dispatch(services, job.id)
    return job


def claimed_and_killed(services: Services, job_id: JobId) -> Lease:
    """A worker that claimed the step, made a call, and was killed before it could store it."""
    limits = services.limits
    return services.jobs.claim(
        job_id,
        DISPATCH,
        owner="killed",
        now=services.clock(),
        lease=limits.lease,
        time_limit=limits.step,
    ).lease
