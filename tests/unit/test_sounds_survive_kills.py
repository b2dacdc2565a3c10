"""kill -9 before every single write of an ingest and of a save: the next worker makes it whole."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest

from ethereal.assets.model import AssetId
from ethereal.jobs.model import Job, JobId, JobStatus
from ethereal.jobs.request import IngestRequest, SourceType
from ethereal.leftovers import sweep_leftovers
from ethereal.pipeline.edit import save
from ethereal.pipeline.ingest import ingest
from ethereal.pipeline.reap import reap, sweep_uploads
from ethereal.pipeline.submit_audio import submit_ingest
from ethereal.pipeline.submit_edit import submit_save
from ethereal.services import Services
from ethereal.storage.keys import StorageKey
from tests.asset_builders import recipe, take_in
from tests.builders import HandClock
from tests.killed import die_in, open_kept_services
from tests.sounds import write_beats

UPLOAD = StorageKey("uploads/123e4567-e89b-42d3-a456-426614174000/original.wav")
A_CENTURY = timedelta(days=36_500)  # objects have the time of this machine


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def services(tmp_path: Path, clock: HandClock) -> Iterator[Services]:
    with open_kept_services(tmp_path, clock) as services:
        yield services


def stored(services: Services) -> set[str]:
    return {facts.key for facts in services.objects.list(StorageKey(""))}


def left_over(folder: Path) -> list[str]:
    """Half-written files and working directories."""
    return [path.name for path in folder.rglob(".*") if not path.name.startswith(".put.")]


def followed(services: Services, clock: HandClock, job_id: JobId) -> Job:
    """The job once the reaper and another worker were there."""
    clock.turn(services.limits.lease + timedelta(seconds=1))
    reap(services)
    clock.turn(timedelta(minutes=5))
    (ingest if services.jobs.get(job_id).type == "ingest" else save)(services, job_id)
    sweep_leftovers(services.scratch)
    return services.jobs.get(job_id)


def test_an_ingest_that_is_killed_anywhere_is_taken_in_once(
    services: Services, clock: HandClock, tmp_path: Path
) -> None:
    for write in count(1):
        song = write_beats(tmp_path / "song.wav", 0.5 + write / 1000, rate=8000)  # other bytes each time
        services.objects.put(UPLOAD, song)
        wanted = IngestRequest(source_type=SourceType.AUDIO_FILE, audio_key=UPLOAD, filename="a.wav")
        job = submit_ingest(services, wanted)
        if not die_in("ingest", tmp_path, job.id, clock(), write):
            break
        job = followed(services, clock, job.id)

        assert job.status is JobStatus.COMPLETE, write
        assert job.result is not None
        assets = services.assets.list().assets
        assert [str(asset.id) for asset in assets] == [job.result["assetId"]], write
        clock.turn(A_CENTURY)
        sweep_uploads(services)
        clock.turn(-A_CENTURY)
        folder = f"assets/{assets[0].id}/"
        assert stored(services) == {f"{folder}original.wav", f"{folder}peaks.json"}, write
        assert left_over(tmp_path) == [], write
        services.assets.delete(assets[0].id)
        services.objects.delete_prefix(StorageKey(folder))
    assert write > 8


def test_a_save_that_is_killed_anywhere_keeps_the_old_sound_until_the_new_one_is_there(
    services: Services, clock: HandClock, tmp_path: Path
) -> None:
    asset = take_in(services)
    old, new = recipe(asset, (0.0, 0.5)), recipe(asset, outputFormat="aac")
    for write in count(1):
        save(services, submit_save(services, old).id)
        job = submit_save(services, new)
        if not die_in("save", tmp_path, job.id, clock(), write):
            break
        assert services.objects.exists(services.assets.get(AssetId(asset.id)).sound), write
        job = followed(services, clock, job.id)

        assert job.status is JobStatus.COMPLETE, write
        names = ("original.wav", "peaks.json", "prepared.m4a", "edits.json")
        assert stored(services) == {f"assets/{asset.id}/{name}" for name in names}, write
        assert services.assets.bytes_used() == sum(
            facts.size for facts in services.objects.list(StorageKey(""))
        )
        assert left_over(tmp_path) == [], write
    assert write > 8
