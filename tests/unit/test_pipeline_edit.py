"""Edits: heard once and then found, kept without losing what was there before, with nothing left over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from ethereal.assets.model import Asset, AssetId
from ethereal.audio.probe import probe_audio
from ethereal.audio.recipe import read_recipe
from ethereal.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    QuotaExceededError,
    StorageUnavailableError,
)
from ethereal.jobs.model import Job, JobStatus, JobType
from ethereal.pipeline.edit import preview, save
from ethereal.pipeline.library import delete_asset, sweep_assets
from ethereal.pipeline.submit_edit import submit_preview, submit_save
from ethereal.services import Limits, Services
from ethereal.storage.keys import StorageKey
from tests.asset_builders import recipe, take_in
from tests.builders import HandClock, make_services
from tests.failing import Failing


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def services(tmp_path: Path, clock: HandClock) -> Services:
    return make_services(tmp_path, clock=clock)


def stored(services: Services, asset: Asset) -> set[str]:
    prefix = f"assets/{asset.id}/"
    return {facts.key.removeprefix(prefix) for facts in services.objects.list(StorageKey(prefix))}


def ended(services: Services, job: Job) -> dict[str, object]:
    job = services.jobs.get(job.id)
    assert job.error is None
    assert job.status is JobStatus.COMPLETE
    assert job.result is not None
    return dict(job.result)


def counted(services: Services) -> int:
    return sum(facts.size for facts in services.objects.list(StorageKey("assets/")))


def test_a_preview_is_made_once_and_found_after_that(services: Services) -> None:
    asset = take_in(services)
    job, was_there = submit_preview(services, recipe(asset))
    preview(services, job.id)
    first = ended(services, job)
    again, is_there = submit_preview(
        services, recipe(asset, outputFormat="aac")
    )  # another file, the same sound
    preview(services, again.id)

    assert (was_there, is_there) == (False, True)
    assert (first["cached"], first["durationSeconds"]) == (False, 1.25)
    found = ended(services, again)
    assert (found["cached"], found["previewKey"]) == (True, first["previewKey"])
    assert len(stored(services, asset)) == 3
    assert services.assets.bytes_used() == counted(services)


def test_a_saved_edit_is_what_the_asset_sounds_like(services: Services, tmp_path: Path) -> None:
    asset = take_in(services)
    job = submit_save(services, recipe(asset, normalize=True))
    save(services, job.id)

    result, kept = ended(services, job), services.assets.get(asset.id)
    assert kept.prepared is not None
    assert (kept.sound, kept.prepared.recipe) == (result["preparedKey"], recipe(asset, normalize=True))
    heard = probe_audio(services.objects.fetch(kept.sound, tmp_path / "heard.wav"))
    assert (heard.duration, heard.sample_rate) == (1.25, 44100)
    assert kept.prepared.loudness is not None
    assert stored(services, asset) == {"original.wav", "peaks.json", "prepared.wav", "edits.json"}
    assert services.assets.bytes_used() == counted(services)


def test_an_edit_in_another_format_takes_the_place_of_the_first(services: Services) -> None:
    asset = take_in(services)
    for format_, name in (("wav", "prepared.wav"), ("aac", "prepared.m4a"), ("wav", "prepared.wav")):
        save(services, submit_save(services, recipe(asset, outputFormat=format_)).id)
        assert stored(services, asset) == {"original.wav", "peaks.json", name, "edits.json"}
        assert services.assets.bytes_used() == counted(services)


def test_broken_rules_are_told_at_once_under_the_clip(services: Services) -> None:
    asset = take_in(services)
    for submit in (submit_preview, submit_save):
        with pytest.raises(InvalidInputError) as refused:
            submit(services, recipe(asset, (0.0, 1.0), (1.0, 9.0), (0.5, 0.55)))
        assert set(refused.value.details) == {"c1", "c2"}
    stranger = replace(asset, id=AssetId("123e4567-e89b-42d3-a456-426614174000"))
    clips = recipe(stranger).model_dump()["clips"]
    with pytest.raises(InvalidInputError, match="there is no source"):
        submit_preview(services, read_recipe({"version": 1, "assetId": asset.id, "clips": clips}))
    with pytest.raises(NotFoundError):
        submit_save(services, recipe(stranger))
    assert services.jobs.list(limit=100).jobs[1:] == []


def test_of_two_saves_at_once_the_later_one_is_withdrawn(services: Services) -> None:
    asset = take_in(services)
    rival = recipe(asset, normalize=True)
    earlier: list[Job] = []

    def new_id() -> UUID:
        """Asked for when the later one has looked and is not stored yet."""
        if not earlier:
            earlier.append(submit_save(services, rival))
        return uuid4()

    with pytest.raises(ConflictError, match="is being saved"):
        submit_save(replace(services, new_id=new_id), recipe(asset))
    assert [job.id for job in services.jobs.list().jobs if job.type is JobType.SAVE] == [earlier[0].id]
    save(services, earlier[0].id)
    ended(services, earlier[0])
    prepared = services.assets.get(asset.id).prepared
    assert prepared is not None
    assert prepared.recipe == rival


def test_a_source_of_an_edit_under_way_stays(services: Services) -> None:
    asset, other = take_in(services), take_in(services, 1.0)
    clip = {"id": "a", "sourceAssetId": other.id, "startTime": 0, "endTime": 1}
    mix = read_recipe({"version": 1, "assetId": asset.id, "clips": [clip]})
    job = submit_save(services, mix)
    for used in (asset, other):
        with pytest.raises(ConflictError):
            delete_asset(services, used.id)
    with pytest.raises(ConflictError):
        submit_save(services, recipe(asset))
    save(services, job.id)
    with pytest.raises(ConflictError):
        delete_asset(services, other.id)
    delete_asset(services, other.id, force=True)
    gone = submit_preview
    with pytest.raises(InvalidInputError):
        gone(services, mix)
    delete_asset(services, asset.id)
    assert services.assets.bytes_used() == counted(services) == 0


def test_a_full_library_takes_no_more(services: Services) -> None:
    asset = take_in(services)
    job = submit_save(services, recipe(asset))
    tight = replace(services, limits=Limits(assets_bytes=services.assets.bytes_used() + 1000))
    save(tight, job.id)

    failed = services.jobs.get(job.id)
    assert failed.error is not None
    assert failed.error.code == "QUOTA_EXCEEDED"
    assert stored(services, asset) == {"original.wav", "peaks.json"}
    full = replace(services, limits=Limits(assets_bytes=1))
    with pytest.raises(QuotaExceededError):
        submit_preview(full, recipe(asset))


@pytest.mark.parametrize(
    ("error", "after"),
    [(lambda: StorageUnavailableError("away"), True), (lambda: SystemExit(143), False)],
    ids=["answer lost", "stopped"],
)
def test_whatever_fails_keeps_the_old_sound_until_the_new_one_is_there(
    tmp_path: Path, error: Callable[[], BaseException], after: bool
) -> None:
    clock = HandClock()
    services = make_services(tmp_path, clock=clock)
    asset = take_in(services)
    old, new = recipe(asset, (0.0, 0.5)), recipe(asset, outputFormat="aac")
    for number in range(1, 100):
        save(services, submit_save(services, old).id)
        before = stored(services, asset)
        assert before == {"original.wav", "peaks.json", "prepared.wav", "edits.json"}
        job = submit_save(services, new)
        left = [number]
        broken = replace(
            services,
            objects=Failing(services.objects, left, error, after=after),  # type: ignore[arg-type]
            assets=Failing(services.assets, left, error, after=after),  # type: ignore[arg-type]
        )
        try:
            save(broken, job.id)
        except SystemExit:
            assert isinstance(error(), SystemExit)
        assert services.objects.exists(services.assets.get(asset.id).sound)
        assert services.assets.bytes_used() >= counted(services), number
        if left[0] > 0:
            break
        clock.now = clock.now.replace(year=clock.now.year + 1)
        save(services, job.id)  # again, with nothing broken
        assert stored(services, asset) == {"original.wav", "peaks.json", "prepared.m4a", "edits.json"}, number
        assert services.assets.get(asset.id).sound.endswith("prepared.m4a")
        assert services.assets.bytes_used() == counted(services), number
    assert number > 6


def test_old_previews_go_and_the_sound_stays(services: Services, clock: HandClock) -> None:
    asset = take_in(services)
    preview(services, submit_preview(services, recipe(asset))[0].id)
    clock.now = clock.now.replace(day=10)
    assert sweep_assets(services) == 1
    assert stored(services, asset) == {"original.wav", "peaks.json"}
    assert services.assets.bytes_used() == counted(services)
