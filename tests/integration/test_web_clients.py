"""Who sends a job: sent twice it is one, each client has a limit, and a refusal says when to come again."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from ethereal.errors import InvalidInputError
from ethereal.jobs.turns import Unfinished
from ethereal.services import Limits
from tests.asset_builders import recipe, take_in
from tests.web_builders import CountedBody, Web, error_of, form_blocks, open_web, post_streamed, song_bytes

LOOK = {"template": "aurora", "outputFormat": "draft-360p", "fps": "24", "quality": "draft"}


@pytest.fixture
def web(tmp_path: Path) -> Web:
    return open_web(tmp_path)


@pytest.fixture
def full(tmp_path: Path) -> Web:
    return open_web(tmp_path, limits=Limits(jobs=Unfinished(in_all=3, of_client=1)))


@pytest.fixture
def song(tmp_path: Path) -> bytes:
    return song_bytes(tmp_path)


def fields_of(client: FlaskClient, path: str) -> dict[str, str]:
    page = client.get(path).get_data(as_text=True)
    found = dict(re.findall(r'type="hidden" name="(csrfToken|idempotencyKey)" value="([^"]+)"', page))
    assert set(found) == {"csrfToken", "idempotencyKey"}
    return found


def inline(web: Web, song: bytes, name: str = "", key: str = "") -> TestResponse:
    audio = {"type": "base64", "data": base64.b64encode(song).decode(), "filename": "song.wav"}
    headers = {"X-Client-Id": name} if name else {}
    headers |= {"Idempotency-Key": key} if key else {}
    return web.client.post("/api/render", json={"audio": audio}, headers=headers)


def test_every_route_that_makes_a_job_takes_a_key(web: Web, song: bytes) -> None:
    asset = take_in(web.services)
    before = len(web.jobs())
    told = recipe(asset).model_dump(mode="json")
    render = {"audio": {"type": "asset", "assetId": asset.id}}
    ingest = {"type": "youtube", "url": "https://youtu.be/jNQXAC9IVRw", "rightsAttested": True}
    for number, (path, body, other) in enumerate(
        (
            ("/api/render", render, render | {"fps": 24}),
            ("/api/audio/ingest", ingest, ingest | {"url": "https://youtu.be/aaaaaaaaaaa"}),
            ("/api/audio/edit/preview", told, told | {"outputSampleRate": 48000}),
            ("/api/audio/edit/save", told, told | {"normalize": True}),
        ),
        start=1,
    ):
        headers = {"Idempotency-Key": f"key-{number}"}
        ids = {web.client.post(path, json=body, headers=headers).get_json()["jobId"] for _ in range(2)}
        assert len(ids) == 1, path
        assert len(web.jobs()) == before + number
        refused = web.client.post(path, json=other, headers=headers)
        assert (refused.status_code, error_of(refused)["code"]) == (409, "CONFLICT")


def test_one_key_does_not_make_a_preview_of_a_save(web: Web) -> None:
    told = recipe(take_in(web.services)).model_dump(mode="json")
    headers = {"Idempotency-Key": "one"}

    assert web.client.post("/api/audio/edit/preview", json=told, headers=headers).status_code == 202
    assert web.client.post("/api/audio/edit/save", json=told, headers=headers).status_code == 409


def test_files_that_are_sent_twice_at_once_are_one_job_and_one_object(web: Web, song: bytes) -> None:
    def send(_: int) -> Any:
        data = {**LOOK, "file": (BytesIO(song), "song.wav")}
        return web.client.post("/api/render", data=data, headers={"Idempotency-Key": "twice"}).get_json()

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(send, range(4)))

    assert len({answer["jobId"] for answer in answers}) == 1
    assert len(web.jobs()) == 1
    assert len(web.stored("uploads/")) == 1


def test_a_page_s_form_sent_twice_is_one_job_and_changed_it_is_another(web: Web) -> None:
    client, asset = web.client, take_in(web.services)
    before = len(web.jobs())
    fields = {**LOOK, "assetId": asset.id, **fields_of(client, "/")}

    def send(**changes: str) -> str:
        sent = client.post("/", data={**fields, **changes}, content_type="multipart/form-data")
        assert sent.status_code == 303, sent.get_data(as_text=True)
        return sent.headers["Location"]

    assert send() == send()
    assert send(template="ethereal-flame") != send()
    assert len(web.jobs()) == before + 2
    assert send(**fields_of(client, "/")) != send()  # the page was loaded again


def test_a_sound_that_a_page_s_form_brings_twice_is_taken_in_once(web: Web, song: bytes) -> None:
    client = web.client
    fields = fields_of(client, "/sounds")
    for _ in range(2):
        data = {**fields, "file": (BytesIO(song), "song.wav")}
        assert client.post("/sounds", data=data, content_type="multipart/form-data").status_code == 303

    assert len(web.jobs()) == 1
    assert len(web.stored("uploads/")) == 1


def test_a_client_has_its_limit_and_another_one_its_own(full: Web, song: bytes) -> None:
    assert inline(full, song, "ann").status_code == 202

    refused = inline(full, song, "ann")
    assert (refused.status_code, error_of(refused)["code"]) == (429, "TOO_MANY_JOBS")
    assert int(refused.headers["Retry-After"]) > 0
    assert "of your jobs wait or run" in error_of(refused)["message"]
    assert inline(full, song, "bob").status_code == 202
    assert inline(full, song).status_code == 202
    assert "more work waits here" in error_of(inline(full, song, "cleo"))["message"]
    assert len(full.stored("uploads/")) == len(full.jobs()) == 3
    assert {job.client for job in full.jobs()} == {"named ann", "named bob", "at 127.0.0.1"}


def test_a_browser_is_a_client_of_its_own(web: Web) -> None:
    asset = take_in(web.services)
    for client in (web.client, web.client):
        fields = {**LOOK, "assetId": asset.id, **fields_of(client, "/")}
        client.post("/", data=fields, content_type="multipart/form-data")
        client.post("/api/render", json={"audio": {"type": "asset", "assetId": asset.id}})

    names = [job.client for job in web.jobs() if job.client]
    assert len(names) == 4
    assert len(set(names)) == 2
    assert all(name.startswith("visitor ") for name in names)


def test_a_file_for_which_there_is_no_room_is_not_read(full: Web, song: bytes) -> None:
    inline(full, song)

    def endless() -> Iterator[bytes]:
        while True:
            yield bytes(1 << 16)

    for path in ("/api/render", "/api/audio/ingest"):
        body = CountedBody(form_blocks({}, endless()))
        assert post_streamed(full.client, path, body).status_code == 429
        assert body.taken < 1 << 20


def test_a_person_reads_why_beside_the_button(full: Web, song: bytes) -> None:
    client = full.client
    asset = take_in(full.services)
    for status in (303, 429):
        fields = {**LOOK, "assetId": asset.id, **fields_of(client, "/")}
        answer = client.post("/", data=fields, content_type="multipart/form-data")
        assert answer.status_code == status

    page = answer.get_data(as_text=True)
    assert "1 of your jobs wait or run, as many as may: send this again when one has ended" in page
    assert 'id="create"' in page
    assert f'value="{asset.id}"' in page
    assert answer.headers["Retry-After"]


@pytest.mark.parametrize("name", ["", "two words", "a" * 65, "ünicode"])
def test_a_name_that_is_none_is_refused(web: Web, song: bytes, name: str) -> None:
    headers = {"X-Client-Id": name}
    refused = web.client.post(
        "/api/render", json={"audio": {"type": "url", "url": "https://a.example/b"}}, headers=headers
    )

    assert refused.status_code == 400
    assert error_of(refused)["code"] == InvalidInputError.code
