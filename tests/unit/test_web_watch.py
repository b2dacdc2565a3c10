"""Following jobs: one look for all, each stream hears what is new of its own job."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from ethereal.errors import StoreUnavailableError
from ethereal.jobs.model import JobId
from web.face import FOLLOWERS
from web.watch import Seen, Watch

A, B = JobId("a"), JobId("b")
PATIENCE = 150.0


class Jobs:
    """How jobs are seen, what was asked together, and how often nobody could tell."""

    def __init__(self) -> None:
        self.seen: dict[JobId, Seen] = {A: seen("a.0"), B: seen("b.0")}
        self.asked: list[list[JobId]] = []
        self.away = 0

    def look(self, ids: Sequence[JobId]) -> Mapping[JobId, Seen]:
        self.asked.append(list(ids))
        if self.away:
            self.away -= 1
            raise StoreUnavailableError("the job store does not answer")
        return {job_id: self.seen[job_id] for job_id in ids if job_id in self.seen}


def seen(event_id: str, **body: object) -> Seen:
    return Seen(event_id, is_final=False, body=body)


@pytest.fixture
def jobs() -> Jobs:
    return Jobs()


@pytest.fixture
def watch(jobs: Jobs) -> Watch:
    return Watch(jobs.look, 0.005)


def test_one_look_serves_all_streams(jobs: Jobs, watch: Watch) -> None:
    with watch.follow(A) as first, watch.follow(A) as second, watch.follow(B) as third:
        jobs.seen[A] = seen("a.1")
        heard = [follower.wait(PATIENCE) for follower in (first, second, third)]
        last = jobs.asked[-1]

    assert {told.event_id for told in heard if told} <= {"a.0", "a.1", "b.0"}
    assert None not in heard
    assert last == [A, B]


def test_a_job_that_looks_the_same_is_told_once(jobs: Jobs, watch: Watch) -> None:
    with watch.follow(A) as follower:
        assert follower.wait(PATIENCE) == seen("a.0")
        jobs.seen[A] = seen("a.0", updatedAt="later")
        assert follower.wait(0.05) is None
        assert not follower.is_gone
        jobs.seen[A] = seen("a.1")
        assert follower.wait(PATIENCE) == seen("a.1")


def test_a_job_that_was_forgotten_ends_its_streams(jobs: Jobs, watch: Watch) -> None:
    with watch.follow(A) as follower, watch.follow(B) as other:
        del jobs.seen[A]
        while not follower.is_gone:
            follower.wait(PATIENCE)
        assert not other.is_gone


def test_streams_live_through_an_outage_of_the_store(jobs: Jobs, watch: Watch) -> None:
    jobs.away = 3
    with watch.follow(A) as follower:
        assert follower.wait(PATIENCE) == seen("a.0")
    assert len(jobs.asked) >= 4


def test_nobody_looks_while_nobody_follows(jobs: Jobs, watch: Watch) -> None:
    for _ in range(2):
        with watch.follow(A) as follower:
            assert follower.wait(PATIENCE)
        for thread in threading.enumerate():
            if thread.name == "watch":
                thread.join(PATIENCE)
        assert "watch" not in {thread.name for thread in threading.enumerate()}


def test_streams_end_when_looking_failed_for_good(jobs: Jobs, watch: Watch) -> None:
    jobs.seen = None  # type: ignore[assignment]
    with watch.follow(A) as follower:
        follower.wait(PATIENCE)
        assert follower.is_gone


def test_the_server_has_threads_for_all_streams_and_for_work_beside_them() -> None:
    procfile = Path(__file__).parents[2] / "Procfile"
    threads = re.search(r"^web: .*--threads (\d+)", procfile.read_text(), re.MULTILINE)
    assert threads
    assert int(threads[1]) >= FOLLOWERS + 16


def test_when_the_process_is_to_stop_all_streams_end_and_those_that_come_too() -> None:
    jobs = Jobs()
    watch = Watch(jobs.look, 0.005)
    with watch.follow(A) as early:
        watch.end()
        while not early.is_gone:
            early.wait(PATIENCE)
        early.tell(seen("a.1"))  # a look that was under way
        with watch.follow(B) as late:
            assert early.is_gone
            assert late.is_gone
