"""What a render sounds like: an asset, its saved edit, a recipe's cut, or what an address gave first."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from ethereal.audio.probe import probe_audio
from ethereal.errors import ConflictError, InvalidInputError, NotFoundError, UnsafeAddressError
from ethereal.jobs.model import JobStatus
from ethereal.jobs.request import RenderRequest
from ethereal.pipeline.edit import save
from ethereal.pipeline.library import delete_asset
from ethereal.pipeline.prepare import prepare, upload
from ethereal.pipeline.submit import submit_render
from ethereal.pipeline.submit_edit import submit_save
from ethereal.services import Services
from ethereal.storage import keys
from ethereal.storage.keys import StorageKey
from tests.asset_builders import recipe, take_in
from tests.builders import make_services
from tests.played_web import answering, played_web


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return make_services(tmp_path)


def heard(services: Services, request: RenderRequest, folder: Path) -> Fraction:
    """How long the prepared sound of a render is, in seconds."""
    job = submit_render(services, request)
    prepare(services, job.id)
    upload(services, job.id)
    assert services.jobs.get(job.id).status is not JobStatus.FAILED, services.jobs.get(job.id).error
    audio = services.objects.fetch(keys.render_audio(job.id), folder / f"{job.id}.flac")
    return probe_audio(audio).duration


def test_a_render_takes_what_an_asset_sounds_like(services: Services, tmp_path: Path) -> None:
    asset = take_in(services)
    of_asset = RenderRequest(asset_id=asset.id, filename="song.wav")
    assert heard(services, of_asset, tmp_path) == 2
    save(services, submit_save(services, recipe(asset)).id)
    assert heard(services, of_asset, tmp_path) == Fraction(5, 4)

    cut = recipe(asset, (0.0, 0.5), (0.0, 0.5), outputSampleRate=48000)
    by_recipe = of_asset.model_copy(update={"recipe": cut})
    assert heard(services, by_recipe, tmp_path) == 1
    with pytest.raises(ConflictError):
        delete_asset(services, asset.id)


def test_what_an_address_gave_first_is_what_is_rendered(services: Services, tmp_path: Path) -> None:
    asset = take_in(services, 1.0)
    song = services.objects.fetch(asset.original, tmp_path / "song.wav").read_bytes()
    with played_web({"/song": answering(song)}) as web:
        local = replace(services, rule=web.rule)
        request = RenderRequest(audio_url=web.url("/song"), filename="song")
        with pytest.raises(UnsafeAddressError):
            submit_render(services, request)
        job = submit_render(local, request)
        prepare(local, job.id)
    elsewhere = replace(local, scratch=tmp_path / "another host")
    assert [f.key for f in services.objects.list(keys.render_folder(job.id))] == [keys.render_source(job.id)]
    upload(elsewhere, job.id)  # the web is away by now

    names = {facts.key.rpartition("/")[2] for facts in services.objects.list(keys.render_folder(job.id))}
    assert names == {"audio.flac", "features.json", "features.f32"}


def test_a_page_is_no_sound_and_leaves_nothing(services: Services) -> None:
    with played_web({"/page": answering(b"<html>", content_type="text/html")}) as web:
        local = replace(services, rule=web.rule)
        job = submit_render(local, RenderRequest(audio_url=web.url("/page"), filename="page"))
        prepare(local, job.id)

    error = services.jobs.get(job.id).error
    assert error is not None
    assert error.code == "UNREADABLE_AUDIO"
    assert list(services.objects.list(StorageKey("renders/"))) == []


def test_a_render_names_one_sound(services: Services) -> None:
    asset = take_in(services)
    of_asset = RenderRequest(asset_id=asset.id, filename="a")
    for changes in (
        {"asset_id": None},
        {"audio_url": "https://a.example/b"},
        {"recipe": recipe(replace(asset, id="123e4567-e89b-42d3-a456-426614174000"))},  # type: ignore[arg-type]
        {"recipe": recipe(asset, (1.0, 3.0))},
        {"asset_id": None, "audio_url": "https://youtu.be/jNQXAC9IVRw"},
    ):
        with pytest.raises(InvalidInputError):
            submit_render(services, of_asset.model_copy(update=changes))
    with pytest.raises(NotFoundError):
        submit_render(services, RenderRequest(asset_id="123", filename="a"))
