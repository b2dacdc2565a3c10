"""What every job store promises to those who look: places, lists, what is still needed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from ethereal.errors import ConflictError, NotFoundError
from ethereal.jobs.model import JobId, JobStatus, JobType, StepKey, StepName
from ethereal.jobs.request import Clip, EditRecipe, EditRequest, IngestRequest, RenderRequest, SourceType
from ethereal.jobs.store import Backlog, JobStore
from tests.contract.jobs import BROKEN, HOUR, NOON, add, claim, new_job, to_chunks


def test_the_queue_position_counts_the_pending_jobs_before(store: JobStore) -> None:
    jobs = [add(store) for _ in range(3)]
    assert [store.queue_position(job.id) for job in jobs] == [0, 1, 2]
    claim(store, jobs[0])
    assert [store.queue_position(job.id) for job in jobs] == [None, 0, 1]


def test_many_jobs_are_looked_up_at_once(store: JobStore) -> None:
    first, second, third = (add(store) for _ in range(3))
    nobody = JobId(str(uuid4()))
    claim(store, first)
    ids = [third.id, first.id, nobody]

    assert store.get_many(ids) == {third.id: third, first.id: store.get(first.id)}
    assert store.queue_positions([*ids, second.id]) == {third.id: 1, second.id: 0}


def test_the_backlog_counts_what_waits_and_knows_the_oldest(store: JobStore) -> None:
    assert store.backlog(now=NOON) == Backlog(0, None, {})
    held, old, young = (add(store, NOON + timedelta(seconds=second)) for second in range(3))
    late, cancelled = add(store), add(store)
    store.fail(claim(store, late).lease, BROKEN, now=NOON, retry_at=NOON + HOUR)
    store.cancel(cancelled.id, now=NOON)
    to_chunks(store, held)
    store.cancel(young.id, now=NOON)
    now = NOON + timedelta(minutes=1)

    assert store.backlog(now=now) == Backlog(2, old.created_at, {StepName.PREPARE_AUDIO: 1})


def test_the_list_is_newest_first_filtered_and_paged(store: JobStore) -> None:
    jobs = [add(store) for _ in range(5)]
    claim(store, jobs[1])

    first = store.list(limit=2)
    second = store.list(limit=3, cursor=first.cursor)
    assert [job.id for job in [*first.jobs, *second.jobs]] == [job.id for job in reversed(jobs)]
    assert second.cursor is None
    assert [job.id for job in store.list(status=JobStatus.PROCESSING).jobs] == [jobs[1].id]
    assert store.list(type_=JobType.INGEST).jobs == []
    assert store.counts()[JobStatus.PENDING] == 4


def test_audio_is_in_use_until_every_job_made_from_it_has_failed_or_was_cancelled(store: JobStore) -> None:
    first, second = add(store), add(store)
    audio = first.request.audio_key
    assert second.request.audio_key == audio
    store.cancel(first.id, now=NOON)
    assert store.audio_in_use(audio)
    store.fail(claim(store, second).lease, BROKEN, now=NOON, retry_at=None)
    assert not store.audio_in_use(audio)
    store.finish(claim(store, add(store)).lease, result={}, now=NOON)
    assert store.audio_in_use(audio)


SOURCE = str(uuid4())
RECIPE = EditRecipe(
    version=1,
    asset_id=SOURCE,
    clips=(Clip(id="a", source_asset_id=SOURCE, start_time=0.1, end_time=2.5, fade_in=0.25),),
    normalize=True,
)
INGEST = IngestRequest(
    source_type=SourceType.AUDIO_FILE, audio_key="uploads/b/original.mp3", filename="b.mp3"
)


def test_a_job_of_any_type_comes_back_with_what_it_asked_for(store: JobStore) -> None:
    for type_, request, step in (
        (JobType.INGEST, INGEST, StepName.INGEST_AUDIO),
        (JobType.PREVIEW, EditRequest(recipe=RECIPE), StepName.PREVIEW_EDIT),
        (JobType.SAVE, EditRequest(recipe=RECIPE), StepName.SAVE_EDIT),
    ):
        job = store.add(replace(new_job(), type=type_, request=request), StepKey(step))
        taken = claim(store, job, StepKey(step))
        assert taken.job.asked(type(request)) == request
        with pytest.raises(NotFoundError):
            taken.job.asked(RenderRequest)
        assert [job.id for job in store.list(type_=type_).jobs] == [job.id]


def test_an_upload_that_was_taken_in_is_needed_no_more(store: JobStore) -> None:
    step = StepKey(StepName.INGEST_AUDIO)
    job = store.add(replace(new_job(), type=JobType.INGEST, request=INGEST), step)
    assert store.audio_in_use(INGEST.audio_key)
    store.finish(claim(store, job, step).lease, result={}, now=NOON)
    assert not store.audio_in_use(INGEST.audio_key)


def test_only_a_final_job_can_be_deleted(store: JobStore) -> None:
    job = add(store)
    with pytest.raises(ConflictError):
        store.delete(job.id)
    store.cancel(job.id, now=NOON)
    store.delete(job.id)

    with pytest.raises(NotFoundError):
        store.get(job.id)
    assert store.steps(job.id) == []
