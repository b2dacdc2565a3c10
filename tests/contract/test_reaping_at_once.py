"""Several beats at once need no lock between them: each move of the reaper is taken by exactly one."""

from __future__ import annotations

import threading
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from ethereal.jobs.file_database import open_file_database
from ethereal.jobs.migrate import migrate
from ethereal.jobs.model import Job, JobStatus, StepKey, StepName
from ethereal.jobs.sql import SqlJobStore
from ethereal.pipeline.reap import Reaped, reap
from ethereal.services import Services
from tests.builders import NOON, HandClock, MemoryQueue, add_to, make_services

PREPARE = StepKey(StepName.PREPARE_AUDIO)
REAPERS, EACH = 6, 8
LEASE, HOUR = timedelta(seconds=30), timedelta(hours=1)


def lose(store: SqlJobStore, job: Job, times: int) -> None:
    """Let that many attempts of the job end by silence, the last one still unnoticed."""
    for attempt in range(times):
        now = NOON + attempt * LEASE
        store.release_expired(now=now, max_attempts=99)
        store.claim(job.id, PREPARE, owner=f"{job.id}{attempt}", now=now, lease=LEASE, time_limit=HOUR)


def reap_together(reapers: list[Services]) -> list[Reaped]:
    start, results = threading.Barrier(len(reapers)), []

    def look(services: Services) -> None:
        start.wait()
        results.append(reap(services))

    threads = [threading.Thread(target=look, args=(services,)) for services in reapers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_each_stale_step_is_taken_by_one_of_them(tmp_path: Path) -> None:
    clock = HandClock()
    with ExitStack() as opened:
        stores = []
        for _ in range(REAPERS):
            database = open_file_database(tmp_path / "jobs.db")
            migrate(database)
            stores.append(opened.enter_context(closing(SqlJobStore(database))))
        store = stores[0]
        unheard = [add_to(store) for _ in range(EACH)]
        spent = [add_to(store)]
        lose(store, spent[0], 3)
        lost = [add_to(store) for _ in range(EACH)]
        for job in lost:
            lose(store, job, 1)
        clock.turn(5 * LEASE)
        reapers = [replace(make_services(tmp_path, clock=clock), jobs=store) for store in stores]

        results = reap_together(reapers)

        assert sum(reaped.released for reaped in results) == len(lost)
        assert sum(reaped.failed for reaped in results) == len(spent)
        announced = [
            told.job_id
            for services in reapers
            if isinstance(services.queue, MemoryQueue)
            for told in services.queue.announced
        ]
        assert sorted(announced) == sorted(job.id for job in (*unheard, *lost))
        assert {store.get(job.id).status for job in spent} == {JobStatus.FAILED}
        assert {store.steps(job.id)[0].attempt for job in lost} == {1}
