"""The life of a sound where objects lie in a bucket and facts in a database on a server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from ethereal.assets.sql import SqlAssetStore
from ethereal.errors import ConflictError
from ethereal.jobs.migrate import migrate
from ethereal.jobs.model import JobStatus
from ethereal.jobs.remote_database import open_remote_database
from ethereal.jobs.sql import SqlJobStore
from ethereal.pipeline.edit import preview, save
from ethereal.pipeline.library import delete_asset, sweep_assets
from ethereal.pipeline.submit_edit import submit_preview, submit_save
from ethereal.services import Services
from ethereal.settings import Settings
from ethereal.storage.keys import StorageKey
from ethereal.storage.r2 import R2ObjectStore
from tests.asset_builders import recipe, take_in
from tests.builders import make_services
from tests.standins.hrana import open_hrana
from tests.standins.r2 import open_r2
from web import create_app


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    with (
        open_r2() as r2,
        open_hrana(tmp_path / "jobs.db", token="token") as server,
        closing(open_remote_database(server.url, "token")) as database,
    ):
        migrate(database)
        yield replace(
            make_services(tmp_path),
            jobs=SqlJobStore(database),
            assets=SqlAssetStore(database),
            objects=R2ObjectStore(r2.bucket()),
        )


def test_a_sound_is_taken_in_heard_kept_and_deleted(services: Services) -> None:
    asset = take_in(services)
    heard, _ = submit_preview(services, recipe(asset))
    preview(services, heard.id)
    kept = submit_save(services, recipe(asset, normalize=True))
    with pytest.raises(ConflictError):
        delete_asset(services, asset.id)
    save(services, kept.id)

    assert [services.jobs.get(job.id).status for job in (heard, kept)] == [JobStatus.COMPLETE] * 2
    assert submit_preview(services, recipe(asset))[1]
    stored = {facts.key.rpartition("/")[2]: facts for facts in services.objects.list(StorageKey("assets/"))}
    assert stored.keys() >= {"original.wav", "peaks.json", "prepared.wav", "edits.json"}
    assert stored["prepared.wav"].content_type == "audio/wav"
    assert services.assets.bytes_used() == sum(facts.size for facts in stored.values())
    assert sweep_assets(services) == 0
    delete_asset(services, asset.id, force=True)
    assert services.assets.bytes_used() == 0
    assert list(services.objects.list(StorageKey("assets/"))) == []


def test_what_lies_in_a_bucket_is_heard_through_the_web_and_not_carried_by_it(
    services: Services, tmp_path: Path
) -> None:
    """A preview used to answer with JSON where sounds lay in a bucket: nobody heard it."""
    asset = take_in(services)
    heard, _ = submit_preview(services, recipe(asset))
    preview(services, heard.id)
    settings = Settings(_env_file=None, data_dir=tmp_path, port=1)  # type: ignore[call-arg]
    client = create_app(services, settings, secret=b"for tests only").test_client()

    for path, kind, begin in (
        (f"/api/audio/assets/{asset.id}/stream", "audio/wav", b"RIFF"),
        (client.get(f"/api/jobs/{heard.id}").get_json()["downloadUrl"], "audio/mpeg", b"\xff\xfb"),
    ):
        link = client.get(path).headers["Location"] if path.startswith("/") else path
        with urlopen(Request(link, headers={"Range": "bytes=0-99"})) as sound:
            assert (sound.status, sound.headers["Content-Type"]) == (206, kind)
            assert sound.read().startswith(begin)
