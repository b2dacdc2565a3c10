"""What every job store promises of steps that wait: when they are told again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ethereal.errors import ConflictError
from ethereal.jobs.model import Announcement
from ethereal.jobs.store import JobStore
from tests.contract.jobs import BROKEN, LEASE, NOON, PREPARE, add, claim


def test_a_step_nobody_claimed_is_announced_again_less_and_less_often(store: JobStore) -> None:
    job = add(store)
    gaps, last, now = [], NOON, NOON
    while len(gaps) < 4:
        now += timedelta(seconds=1)
        if store.take_due(now=now):
            gaps.append((now - last).total_seconds())
            last = now

    assert gaps == [5, 10, 20, 40]
    claim(store, job, now=now)
    assert store.take_due(now=now + timedelta(days=1)) == []


def test_a_step_that_was_lost_is_announced_as_often_as_a_new_one(store: JobStore) -> None:
    job = add(store)
    for minute in range(4):  # nobody hears of it for a while
        store.take_due(now=NOON + timedelta(minutes=minute))
    lost = NOON + timedelta(minutes=5)
    claim(store, job, now=lost)
    store.release_expired(now=lost + LEASE, max_attempts=3)

    for wait in (0, 5, 15):
        due = store.take_due(now=lost + LEASE + timedelta(seconds=wait))
        assert due == [Announcement(job.id, PREPARE)]


def test_steps_that_took_their_worker_along_twice_run_one_after_another(store: JobStore) -> None:
    now, (guilty, innocent) = NOON, (add(store), add(store))
    for _ in range(2):
        for job in (guilty, innocent):
            claim(store, job, now=now)
        now += LEASE
        store.release_expired(now=now, max_attempts=3)

    claim(store, guilty, now=now)
    with pytest.raises(ConflictError):
        claim(store, innocent, now=now)
    assert claim(store, add(store, now), now=now), "others are not held up"
    now += LEASE
    assert store.release_expired(now=now, max_attempts=3).failed == [guilty.id]

    assert claim(store, innocent, now=now).lease.attempt == 3


def test_what_waits_is_told_again_as_if_it_were_new(store: JobStore) -> None:
    waiting, running, ended = add(store), add(store), add(store)
    for minute in range(4):
        store.take_due(now=NOON + timedelta(minutes=minute))
    now = NOON + timedelta(minutes=3, seconds=1)
    claim(store, running, now=now)
    store.cancel(ended.id, now=now)

    assert store.tell_again(now=now) == 1
    assert store.take_due(now=now) == [Announcement(waiting.id, PREPARE)]
    assert store.take_due(now=now + timedelta(seconds=5)) == [Announcement(waiting.id, PREPARE)]


def test_what_was_announced_just_now_is_not_told_again_yet(store: JobStore) -> None:
    job, silence = add(store), timedelta(seconds=5)
    for now in (NOON + timedelta(minutes=1), NOON + timedelta(minutes=2)):
        store.take_due(now=now)

    assert store.tell_again(now=now + timedelta(seconds=4), silence=silence) == 0
    assert store.tell_again(now=now + timedelta(seconds=5), silence=silence) == 1
    assert store.take_due(now=now + timedelta(seconds=5)) == [Announcement(job.id, PREPARE)]
    assert store.tell_again(now=now + timedelta(seconds=6), silence=silence) == 0


def test_a_step_that_waits_for_another_try_is_not_told_before_it(store: JobStore) -> None:
    job = add(store)
    store.fail(claim(store, job).lease, BROKEN, now=NOON, retry_at=NOON + timedelta(seconds=10))

    assert store.tell_again(now=NOON) == 1
    assert store.take_due(now=NOON + timedelta(seconds=9)) == []
