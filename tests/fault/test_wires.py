"""Broker, database and clocks that fail between living processes: nothing is lost, nothing is done twice."""

from __future__ import annotations

import pytest

from tests.fault.farm import BROKER, Farm
from tests.fault.jobs import Jobs
from tests.fault.moments import foretell, untold
from tests.waiting import until

pytestmark = pytest.mark.timeout(600)


def starts(farm: Farm) -> dict[str, int]:
    return {name: farm.daemons[name].starts for name in farm.workers}


def test_messages_lost_on_their_way_to_a_worker_are_sent_again(farm: Farm, jobs: Jobs) -> None:
    cuts = farm.broker_wire.cuts
    farm.broker_wire.cut_pops(3)

    ended = [jobs.wait(job_id) for job_id in [jobs.preview() for _ in range(6)]]

    assert {job["status"] for job in ended} == {"complete"}
    assert farm.broker_wire.cuts == cuts + 3


def test_a_task_delivered_many_times_is_done_once(farm: Farm, jobs: Jobs) -> None:
    farm.hold_down("worker")
    asked = [jobs.preview() for _ in range(4)]
    until(lambda: len(farm.queued("cpu")) >= len(asked))
    farm.double("cpu", times=9)
    refused = farm.journal("refused claim")
    farm.start("worker")

    assert {jobs.wait(job_id)["status"] for job_id in asked} == {"complete"}
    until(lambda: farm.journal("refused claim") >= refused + 9 * len(asked))


@pytest.mark.parametrize("fault", ["reset", "silence"])
def test_workers_go_on_after_their_connections_died(farm: Farm, jobs: Jobs, fault: str) -> None:
    before = starts(farm)
    running = [jobs.render(seed=3), jobs.preview()]
    getattr(farm.broker_wire, fault)()
    later = jobs.preview()

    assert {jobs.wait(job_id)["status"] for job_id in [*running, later]} == {"complete"}
    assert starts(farm) == before, "no worker was started again"


@pytest.mark.parametrize("forgets", [False, True])
def test_a_broker_that_comes_back_finds_workers_and_every_job(farm: Farm, jobs: Jobs, forgets: bool) -> None:
    before = starts(farm)
    farm.children("worker")[0].suspend()  # one slot is in the middle of something, the other
    waiting = [jobs.preview() for _ in range(3)] + [jobs.render(seed=4)]
    farm.forget_broker() if forgets else farm.hold_down(BROKER)
    meanwhile = jobs.preview()
    farm.start(BROKER)
    for child in farm.children("worker"):
        child.resume()

    assert {jobs.wait(job_id)["status"] for job_id in [*waiting, meanwhile]} == {"complete"}
    assert starts(farm) == before, "no worker was started again"


def test_a_job_is_taken_while_the_broker_says_nothing(farm: Farm, jobs: Jobs) -> None:
    farm.broker_wire.hang()
    asked = [jobs.preview() for _ in range(2)]
    until(lambda: farm.broker_wire.waiting > 0)
    farm.broker_wire.heal()

    assert {jobs.wait(job_id)["status"] for job_id in asked} == {"complete"}


def test_a_database_that_is_away_refuses_new_work_and_loses_none(farm: Farm, jobs: Jobs) -> None:
    running = [jobs.render(seed=5), jobs.preview()]
    farm.store_wire.refuse()
    path, body = "/api/audio/edit/preview", {"version": 1, "assetId": jobs.song, "clips": []}
    status, said = jobs.post(path, body, "away")
    farm.store_wire.heal()

    assert (status, said["error"]["code"]) == (503, "UNAVAILABLE")
    assert {jobs.wait(job_id)["status"] for job_id in running} == {"complete"}


def test_a_database_that_says_nothing_costs_time_alone(farm: Farm, jobs: Jobs) -> None:
    running = [jobs.render(seed=6), jobs.preview()]
    farm.store_wire.hang()
    until(lambda: farm.store_wire.waiting > 0)
    farm.store_wire.heal()

    assert {jobs.wait(job_id)["status"] for job_id in running} == {"complete"}


def test_a_worker_whose_clock_is_ahead_holds_no_step_for_longer(farm: Farm, jobs: Jobs) -> None:
    farm.hold_down("worker")
    foretell(farm.folder, "c", "claim", step="preview_edit", when="after")
    farm.add("ahead", like="worker", environment={"FAULT_CLOCK_AHEAD": "3600"})
    claimed = jobs.preview("c")
    until(lambda: not untold(farm.folder))
    farm.hold_down("ahead")
    farm.start("worker")

    assert jobs.wait(claimed)["status"] == "complete"
