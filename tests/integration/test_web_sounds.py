"""The pages of the library: taking sounds in, hearing them, making a video of one, deleting it."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from ethereal.jobs.model import JobStatus
from ethereal.pipeline.cancel import cancel
from ethereal.pipeline.ingest import ingest
from tests.asset_builders import take_in
from tests.web_builders import Web, open_web, song_bytes

YOUTUBE = "https://youtu.be/jNQXAC9IVRw"


@pytest.fixture
def web(tmp_path: Path) -> Web:
    return open_web(tmp_path)


def send(client: FlaskClient, file: bytes = b"", **fields: str) -> TestResponse:
    token = re.search(r'name="csrfToken" value="([^"]+)"', client.get("/sounds").get_data(as_text=True))
    assert token
    data = {"csrfToken": token[1], **fields, "file": (BytesIO(file), "My song.wav" if file else "")}
    return client.post("/sounds", data=data)


def test_a_sound_that_is_taken_in_shows_up_and_is_heard(web: Web, tmp_path: Path) -> None:
    client = web.client
    empty = client.get("/sounds").get_data(as_text=True)
    assert "Nothing to hear yet" in empty
    assert ">0 kB of 5 GB used" in empty
    assert send(client, song_bytes(tmp_path)).headers["Location"] == "/sounds"
    coming = client.get("/sounds").get_data(as_text=True)
    assert 'http-equiv="refresh"' in coming
    assert "Next in line" in coming

    [job] = web.jobs()
    ingest(web.services, job.id)
    page = client.get("/sounds").get_data(as_text=True)
    assert "http-equiv" not in page
    assert "0:00 · pcm_s16le · 8 kHz stereo · from a file" in page
    link = re.search(r'<audio controls preload="none" src="([^"]+)"', page)
    assert link
    assert client.get(link[1]).status_code == 302


def test_addresses_are_told_apart_and_rights_asked_for(web: Web) -> None:
    client = web.client
    for fields, field in (
        ({"url": YOUTUBE}, "rightsAttested"),
        ({"url": "https://10.0.0.1/a"}, "url"),
        ({}, "file"),
    ):
        refused = send(client, **fields)
        assert refused.status_code == 400
        assert f'id="problem-{field}"' in refused.get_data(as_text=True)
    assert send(client, url=YOUTUBE, rightsAttested="true").status_code == 303
    assert send(client, url="https://example.org/a.mp3").status_code == 303
    assert [job.request.source_type for job in web.jobs()] == ["url", "youtube"]  # type: ignore[union-attr]


def test_what_failed_says_why(web: Web) -> None:
    send(web.client, url="https://example.invalid/a.mp3")
    [job] = web.jobs()
    ingest(web.services, job.id)

    assert web.services.jobs.get(job.id).status is JobStatus.FAILED
    assert "There is no example.invalid" in web.client.get("/sounds").get_data(as_text=True)


def test_a_video_is_made_of_a_sound_which_then_stays(web: Web) -> None:
    asset, client = take_in(web.services), web.client
    form = client.get(f"/?assetId={asset.id}").get_data(as_text=True)
    assert "Sound from the library: <b>song.wav</b>" in form
    token = re.search(r'name="csrfToken" value="([^"]+)"', form)
    assert token
    data = {"csrfToken": token[1], "assetId": asset.id, "url": "", "file": (BytesIO(), "")}
    place = client.post("/", data=data).headers["Location"]

    assert web.jobs()[0].request.asset_id == asset.id  # type: ignore[union-attr]
    assert f"assetId={asset.id}" in client.get(place).get_data(as_text=True) or place.startswith("/jobs/")
    refused = client.post(f"/sounds/{asset.id}/delete", data={"csrfToken": token[1]})
    assert refused.status_code == 409


def test_a_sound_is_deleted_by_its_form_alone(web: Web) -> None:
    asset, client = take_in(web.services), web.client
    assert client.post(f"/sounds/{asset.id}/delete").status_code == 403
    token = re.search(r'name="csrfToken" value="([^"]+)"', client.get("/sounds").get_data(as_text=True))
    assert token
    assert client.post(f"/sounds/{asset.id}/delete", data={"csrfToken": token[1]}).status_code == 303
    assert web.stored("assets/") == []


def test_the_page_of_an_ingest_goes_on_to_the_edit(web: Web, tmp_path: Path) -> None:
    client = web.client
    send(client, song_bytes(tmp_path))
    [job] = web.jobs()
    page = f"/jobs/{job.id}"
    assert f'<h2><a href="{page}">My song</a></h2>' in client.get("/sounds").get_data(as_text=True)
    living = client.get(page).get_data(as_text=True)
    assert "Next in line" in living
    ingest(web.services, job.id)

    done = client.get(page).get_data(as_text=True)
    result = web.services.jobs.get(job.id).result
    assert result
    edit = f"/sounds/{result['assetId']}/edit"
    assert f'href="{edit}"' in done
    assert f'href="{edit}"' in client.get("/sounds").get_data(as_text=True)
    assert f'data-asset="{result["assetId"]}"' in client.get(edit).get_data(as_text=True)
    heard = re.search(r'<audio controls preload="metadata" src="([^"]+)"', done)
    assert heard
    assert client.get(heard[1]).headers["Location"].startswith("/api/storage/")
    assert client.get("/sounds/123e4567-e89b-42d3-a456-426614174000/edit").status_code == 404


def test_the_page_of_an_ingest_tells_that_it_was_stopped_or_failed(web: Web, tmp_path: Path) -> None:
    client = web.client
    send(client, song_bytes(tmp_path))
    [stopped] = web.jobs()
    cancel(web.services, stopped.id)
    assert "Nothing of it was kept" in client.get(f"/jobs/{stopped.id}").get_data(as_text=True)

    send(client, url="https://example.invalid/a.mp3")
    failed = web.jobs()[0]
    ingest(web.services, failed.id)
    assert "This did not work" in client.get(f"/jobs/{failed.id}").get_data(as_text=True)
