"""Asking for a video: as JSON, as a form with the file in it, and everything that is refused."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from ethereal.jobs.model import JobStatus
from ethereal.services import Limits
from tests.asset_builders import recipe, take_in
from tests.web_builders import (
    CountedBody,
    Web,
    error_of,
    form_blocks,
    local,
    open_web,
    post_streamed,
    query_of,
    song_bytes,
)

CHOICES = {"template": "aurora", "outputFormat": "draft-360p", "fps": "24", "quality": "draft"}


@pytest.fixture
def web(tmp_path: Path) -> Web:
    return open_web(tmp_path)


@pytest.fixture
def song(tmp_path: Path) -> bytes:
    return song_bytes(tmp_path)


def post_form(web: Web, song: bytes, **fields: str) -> TestResponse:
    data: dict[str, Any] = {**CHOICES, **fields, "file": (BytesIO(song), "My song.wav")}
    return web.client.post("/api/render", data=data)


def post_base64(web: Web, song: bytes, key: str | None = None, **fields: Any) -> TestResponse:
    audio = {"type": "base64", "data": base64.b64encode(song).decode(), "filename": "song.wav"}
    headers = {"Idempotency-Key": key} if key else {}
    return web.client.post("/api/render", json={"audio": audio, **fields}, headers=headers)


@pytest.mark.parametrize("container", ["mp4", "webm", "mov", "png-sequence"])
def test_every_container_can_be_chosen(web: Web, song: bytes, container: str) -> None:
    assert post_form(web, song, container=container).status_code == 202

    [job] = web.jobs()
    assert (job.request.container, job.request.codec) == (container, None)


def test_a_container_that_cannot_be_made_is_refused_by_its_own_code(web: Web, song: bytes) -> None:
    error = error_of(post_base64(web, song, container="gif"))

    assert error["code"] == "FORMAT_NOT_SUPPORTED_IN_DISTRIBUTED"
    assert error["details"].keys() == {"container"}
    assert error_of(post_base64(web, song, codec="hdr10"))["code"] == "FORMAT_NOT_SUPPORTED_IN_DISTRIBUTED"
    assert error_of(post_base64(web, song, container="webm", codec="h264"))["details"].keys() == {"codec"}
    assert web.jobs() == []


def test_a_transparent_background_is_for_the_containers_that_keep_it(web: Web, song: bytes) -> None:
    error = error_of(post_base64(web, song, background="transparent"))
    assert (error["code"], error["details"].keys()) == ("VALIDATION_ERROR", {"background"})
    assert error_of(post_base64(web, song, background="green"))["details"].keys() == {"background"}
    assert web.jobs() == []

    assert post_base64(web, song, background="transparent", container="webm").status_code == 202
    [job] = web.jobs()
    assert job.request.background == "transparent"


def test_a_form_with_a_file_becomes_a_job_that_workers_hear_of(web: Web, song: bytes) -> None:
    response = post_form(web, song, title="First light", rangeStart="0.1", rangeEnd="0.4")

    assert response.status_code == 202
    [job] = web.jobs()
    assert response.get_json() == {"jobId": job.id, "status": "pending"}
    assert response.headers["Location"] == f"/api/jobs/{job.id}"
    assert [told.job_id for told in web.queue.announced] == [job.id]
    assert (job.request.template, job.request.output_format, job.request.fps) == ("aurora", "draft-360p", 24)
    assert (job.request.title, job.request.filename) == ("First light", "My song.wav")
    assert job.request.range is not None
    assert (job.request.range.start, job.request.range.end) == (0.1, 0.4)


def test_the_audio_of_a_form_is_stored_byte_for_byte(web: Web, song: bytes) -> None:
    post_form(web, song)

    [job] = web.jobs()
    with web.services.objects.open(job.request.audio_key) as stored:  # type: ignore[arg-type]
        assert stored.read() == song


def test_fields_may_come_after_the_file(web: Web, song: bytes) -> None:
    body = CountedBody(form_blocks({}, [song], after=CHOICES))

    assert post_streamed(web.client, "/api/render", body).status_code == 202
    assert web.jobs()[0].request.template == "aurora"


def test_a_wrong_field_after_the_file_leaves_no_audio_behind(web: Web, song: bytes) -> None:
    body = CountedBody(form_blocks({}, [song], after={"template": "nope"}))

    assert post_streamed(web.client, "/api/render", body).status_code == 400
    assert web.stored() == []
    assert web.jobs() == []


def test_a_wrong_field_before_the_file_is_refused_before_the_file_is_read(web: Web) -> None:
    endless = CountedBody(form_blocks({"template": "nope"}, blocks_of(64 << 20)))

    response = post_streamed(web.client, "/api/render", endless)

    assert error_of(response)["details"].keys() == {"template"}
    assert endless.taken < 1 << 20


def test_a_file_over_the_limit_is_refused_while_it_streams(tmp_path: Path) -> None:
    web = open_web(tmp_path, limits=Limits(upload_bytes=1 << 20))
    body = CountedBody(form_blocks(CHOICES, blocks_of(64 << 20)))

    response = post_streamed(web.client, "/api/render", body)

    assert response.status_code == 413
    assert error_of(response)["code"] == "TOO_LARGE"
    assert body.taken < 2 << 20
    assert web.stored() == []
    assert list((tmp_path / "scratch").iterdir()) == []


def test_a_body_that_says_it_is_too_large_is_not_read_at_all(tmp_path: Path, song: bytes) -> None:
    web = open_web(tmp_path, limits=Limits(upload_bytes=1))
    body = CountedBody(form_blocks(CHOICES, [song]))

    response = post_streamed(web.client, "/api/render", body, length=3 << 20)

    assert response.status_code == 413
    assert error_of(response)["details"] == {"file": ["must not be over 0 MiB"]}
    assert body.taken == 0


def test_a_form_that_is_cut_off_is_refused_and_leaves_nothing(web: Web, song: bytes) -> None:
    whole = b"".join(form_blocks(CHOICES, [song]))
    for length in (None, len(whole)):
        body = CountedBody(iter([whole[:-400]]))
        response = post_streamed(web.client, "/api/render", body, length=length)

        assert response.status_code == 400
        assert error_of(response)["details"] == {"file": ["was cut off on its way"]}
        assert web.stored() == []


def test_a_file_that_is_no_audio_is_refused_and_leaves_nothing(web: Web) -> None:
    response = post_form(web, b"this is a letter, not a song" * 40)

    assert response.status_code == 422
    assert error_of(response)["code"] == "UNREADABLE_AUDIO"
    assert web.stored() == []
    assert web.jobs() == []


def test_a_form_without_a_file_is_told_so(web: Web) -> None:
    response = web.client.post("/api/render", data=CHOICES | {"file": (BytesIO(), "")})

    assert response.status_code == 400
    assert error_of(response)["details"] == {"file": ["choose an audio file"]}


def test_two_files_are_one_too_many(web: Web, song: bytes) -> None:
    two = [(BytesIO(song), "a.wav"), (BytesIO(song), "b.wav")]
    response = web.client.post("/api/render", data={**CHOICES, "file": two})

    assert response.status_code == 400
    assert web.stored() == []


@pytest.mark.parametrize(
    ("field", "choice"),
    [("template", "ethereal-flame"), ("outputFormat", "draft-720p"), ("fps", "30"), ("quality", "standard")],
)
def test_an_unknown_choice_names_the_field_and_the_choices(
    web: Web, song: bytes, field: str, choice: str
) -> None:
    for response in (post_form(web, song, **{field: "777"}), post_base64(web, song, **{field: "777"})):
        assert response.status_code == 400
        assert error_of(response)["code"] == "VALIDATION_ERROR"
        [sentence] = error_of(response)["details"][field]
        assert choice in sentence


def test_every_wrong_field_is_named_at_once(web: Web, song: bytes) -> None:
    response = post_form(web, song, template="nope", fps="7", outputFormat="tiny")

    assert error_of(response)["details"].keys() == {"template", "fps", "outputFormat"}


def test_an_unknown_field_is_refused_with_the_known_ones(web: Web, song: bytes) -> None:
    for response in (post_form(web, song, status="complete"), post_base64(web, song, status="complete")):
        assert response.status_code == 400
        [sentence] = error_of(response)["details"]["status"]
        assert "outputFormat" in sentence


def test_audio_may_travel_inside_json(web: Web, song: bytes) -> None:
    look = {"intensity": 1.5, "coreColor": "#ffee00"}
    response = post_base64(web, song, visualConfig=look, seed=7, chunks=3, title="  In JSON ")

    assert response.status_code == 202
    request = web.jobs()[0].request
    assert (request.parameters, request.seed, request.chunks) == (look, 7, 3)
    assert request.title == "In JSON"


def test_a_form_may_fine_tune_the_look(web: Web, song: bytes) -> None:
    assert post_form(web, song, visualConfig='{"intensity": 1.5}').status_code == 202
    assert web.jobs()[0].request.parameters == {"intensity": 1.5}


@pytest.mark.parametrize("config", ["not json", "[]", '{"intensity": 99}', '{"wings": 2}'])
def test_a_look_that_the_scene_cannot_take_is_refused(web: Web, song: bytes, config: str) -> None:
    assert post_form(web, song, visualConfig=config).status_code == 400
    assert web.stored() == []


def test_uploaded_audio_becomes_a_job(web: Web, song: bytes) -> None:
    key = upload(web, song)
    audio = {"type": "upload", "storageKey": key, "filename": "song.wav"}

    response = web.client.post("/api/render", json={"audio": audio, "fps": 25})

    assert response.status_code == 202
    [job] = web.jobs()
    assert (job.request.audio_key, job.request.fps) == (key, 25)
    assert len(job.request.audio_sha256) == 64


def test_an_upload_that_is_no_audio_is_refused_and_removed(web: Web) -> None:
    audio = {"type": "upload", "storageKey": upload(web, b"no song at all"), "filename": "song.wav"}

    response = web.client.post("/api/render", json={"audio": audio})

    assert response.status_code == 422
    assert web.stored() == []


def test_an_upload_that_never_came_is_refused(web: Web) -> None:
    key = "uploads/123e4567-e89b-42d3-a456-426614174000/original.wav"
    response = web.client.post("/api/render", json={"audio": {"type": "upload", "storageKey": key}})

    assert response.status_code == 400
    assert error_of(response)["details"] == {"audio.storageKey": ["was not uploaded"]}


def test_no_request_may_name_a_file_of_the_server(web: Web) -> None:
    for key in ("/etc/passwd", "../secret", "renders/x/output.mp4"):
        response = web.client.post("/api/render", json={"audio": {"type": "upload", "storageKey": key}})
        assert response.status_code == 400
    response = web.client.post("/api/render", json={"audio": {"type": "path", "path": "/etc/passwd"}})
    assert error_of(response)["details"] == {"audio": ["must be one of upload, base64, url, asset"]}


def test_what_lies_at_an_address_is_rendered_if_it_may_be_opened(web: Web) -> None:
    for url, status in (("https://example.org/my%20song.mp3?x=1", 202), ("https://10.0.0.1/a.mp3", 400)):
        response = web.client.post("/api/render", json={"audio": {"type": "url", "url": url}})
        assert response.status_code == status
    assert error_of(response)["code"] == "UNSAFE_ADDRESS"
    [job] = web.jobs()
    assert web.client.get(f"/api/render/{job.id}").get_json()["title"] == "my song"


def test_an_asset_is_rendered_whole_or_by_a_recipe(web: Web) -> None:
    asset = take_in(web.services)
    audio = {"type": "asset", "assetId": asset.id}
    cut = recipe(asset, (0.0, 1.0)).model_dump(mode="json")
    for body, status in (
        ({"audio": audio}, 202),
        ({"audio": audio, "recipe": cut}, 202),
        ({"audio": audio, "recipe": recipe(asset, (0.0, 9.0)).model_dump(mode="json")}, 400),
        ({"audio": {"type": "url", "url": "https://example.org/a"}, "recipe": cut}, 400),
        ({"audio": {"type": "asset", "assetId": "1"}}, 404),
    ):
        assert web.client.post("/api/render", json=body).status_code == status, body
    assert web.client.get("/api/render").get_json()["jobs"][0]["title"] == "song"
    assert web.client.delete(f"/api/audio/assets/{asset.id}").status_code == 409


def test_all_directions_go_where_players_are_told_of_them(web: Web, song: bytes) -> None:
    for wanted, status in (
        ({"container": "webm"}, 400),
        ({"container": "mov", "background": "transparent"}, 400),
        ({}, 202),
    ):
        answer = post_form(web, song, outputFormat="360-mono-4k", **wanted)
        assert answer.status_code == status, answer.get_data(as_text=True)


def test_the_same_key_and_request_give_the_same_job(web: Web, song: bytes) -> None:
    first = post_base64(web, song, "one", title="A")
    again = post_base64(web, song, "one", title="A")

    assert first.get_json()["jobId"] == again.get_json()["jobId"]
    assert len(web.stored("uploads/")) == 1
    assert len(web.queue.announced) == 1


def test_the_same_key_for_another_request_conflicts_and_leaves_nothing(web: Web, song: bytes) -> None:
    post_base64(web, song, "one", title="A")
    other = post_base64(web, song, "one", title="B")

    assert other.status_code == 409
    assert error_of(other)["code"] == "CONFLICT"
    assert len(web.stored("uploads/")) == 1


def test_a_job_is_taken_while_the_broker_is_away(web: Web, song: bytes) -> None:
    web.queue.away = True

    assert post_form(web, song).status_code == 202
    assert web.jobs()[0].status is JobStatus.PENDING


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"{}", "application/json", 400),
        (b"a=b", "application/x-www-form-urlencoded", 415),
        (b"{}", "text/plain", 415),
    ],
)
def test_a_body_that_cannot_be_read_is_refused_in_words(
    web: Web, body: bytes, content_type: str, status: int
) -> None:
    response = web.client.post("/api/render", data=body, content_type=content_type)

    assert response.status_code == status
    assert error_of(response)["message"]


def test_bytes_that_are_not_base64_are_refused(web: Web) -> None:
    audio = {"type": "base64", "data": "§§§", "filename": "a.wav"}
    response = web.client.post("/api/render", json={"audio": audio})

    assert error_of(response)["details"] == {"audio.data": ["must be base64"]}


def test_renders_are_listed_shown_and_ended_under_their_own_name(web: Web, song: bytes) -> None:
    job_id = post_form(web, song).get_json()["jobId"]

    assert [job["jobId"] for job in web.client.get("/api/render").get_json()["jobs"]] == [job_id]
    assert web.client.get(f"/api/render/{job_id}").get_json()["status"] == "pending"
    assert web.client.delete(f"/api/render/{job_id}").get_json()["action"] == "cancelled"
    assert web.client.delete(f"/api/render/{job_id}").get_json()["action"] == "deleted"
    assert web.client.get(f"/api/render/{job_id}").status_code == 404
    assert web.stored() == []


def upload(web: Web, content: bytes) -> str:
    asked = {"filename": "song.wav", "contentType": "audio/wav", "size": len(content)}
    link = web.client.post("/api/storage/upload", json=asked).get_json()
    put = web.client.put(local(link["uploadUrl"]), data=content, headers=link["headers"])
    assert put.status_code == 201
    assert query_of(link["uploadUrl"])["key"] == link["key"]
    return str(link["key"])


def blocks_of(size: int) -> Iterator[bytes]:
    block = bytes(1 << 16)
    for _ in range(size // len(block)):
        yield block
