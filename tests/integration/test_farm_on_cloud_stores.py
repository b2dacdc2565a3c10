"""The whole farm with objects in a bucket and jobs on a database server, moved there by settings alone."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from ethereal.client import ApiClient
from ethereal.embedded import StackOptions, open_stack
from tests.sounds import write_beats
from tests.standins.hrana import HranaStandIn, open_hrana
from tests.standins.r2 import KEY_ID, SECRET, R2StandIn, open_r2


@dataclass(frozen=True)
class Farm:
    client: ApiClient
    r2: R2StandIn
    database: HranaStandIn


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    folder = tmp_path_factory.mktemp("farm")
    with open_r2() as r2, open_hrana(folder / "jobs.db", token="token") as database:
        variables = {
            "ETHEREAL_STORAGE": "r2",
            "ETHEREAL_R2_ENDPOINT": r2.endpoint,
            "ETHEREAL_R2_BUCKET": r2.bucket_name,
            "ETHEREAL_R2_ACCESS_KEY_ID": KEY_ID,
            "ETHEREAL_R2_SECRET_ACCESS_KEY": SECRET,
            "ETHEREAL_DATABASE_URL": database.url,
            "ETHEREAL_DATABASE_AUTH_TOKEN": "token",
            "ETHEREAL_LEASE_SECONDS": "8",
            "ETHEREAL_RETRY_SECONDS": "1",
            "ETHEREAL_REAPER_SECONDS": "1",
        }
        options = StackOptions(
            data_dir=folder / "data", port=0, flower_port=0, environment={**os.environ, **variables}
        )
        with open_stack(options) as running:
            yield Farm(ApiClient(running.web_url), r2, database)


def upload(farm: Farm, folder: Path) -> str:
    return farm.client.upload(write_beats(folder / "song.wav", 2.0))


def render(farm: Farm, key: str, folder: Path) -> None:
    """One small render, and its video straight from the bucket."""
    wanted = {"outputFormat": "draft-360p", "fps": 24, "quality": "draft", "chunks": 2}
    *_, job = farm.client.follow(farm.client.render(key, "song.wav", **wanted)["jobId"])
    assert job["status"] == "complete", job
    assert urlsplit(job["downloadUrl"]).netloc == urlsplit(farm.r2.endpoint).netloc
    video = farm.client.download(job["downloadUrl"], folder / "video.mp4").read_bytes()
    assert hashlib.sha256(video).hexdigest() == job["result"]["sha256"]
    assert (job["result"]["frames"], len(video)) == (48, job["result"]["sizeBytes"])


def test_a_render_goes_from_upload_to_download_through_them(farm: Farm, tmp_path: Path) -> None:
    render(farm, upload(farm, tmp_path), tmp_path)

    assert farm.r2.unfinished() == []
    assert set(farm.database.asked) == {"/v2/pipeline"}


def test_a_render_outlasts_their_short_faults(farm: Farm, tmp_path: Path) -> None:
    key = upload(farm, tmp_path)
    farm.r2.fail("unavailable", times=3, method="PUT")
    farm.r2.fail("lost", times=1, method="PUT")
    for _ in range(8):
        farm.database.fail("lost", after=7)

    render(farm, key, tmp_path)
