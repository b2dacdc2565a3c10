"""Sound comes in over the web: as a form, by its upload; assets are listed, heard and deleted."""

from __future__ import annotations

import struct
import tracemalloc
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from ethereal.jobs.model import JobId
from ethereal.pipeline.ingest import ingest
from ethereal.services import Limits
from tests.web_builders import (
    CountedBody,
    Web,
    error_of,
    form_blocks,
    local,
    open_web,
    post_streamed,
    song_bytes,
)

INGEST, ASSETS = "/api/audio/ingest", "/api/audio/assets"


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return song_bytes(tmp_path_factory.mktemp("song"))


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    return open_web(tmp_path)


def send(web: Web, song: bytes, **fields: str) -> TestResponse:
    return web.client.post(INGEST, data={**fields, "file": (BytesIO(song), "My song.wav")})


def taken_in(web: Web, song: bytes) -> dict[str, object]:
    """The job of a song once its worker was there."""
    job_id = send(web, song).get_json()["jobId"]
    ingest(web.services, JobId(job_id))
    return dict(web.client.get(f"/api/audio/jobs/{job_id}").get_json())


def test_a_file_of_a_form_becomes_an_asset(web: Web, song: bytes) -> None:
    answer = send(web, song, type="audio_file")
    assert (answer.status_code, answer.get_json()["status"]) == (202, "pending")
    pending = web.client.get(answer.headers["Location"]).get_json()
    assert (pending["type"], pending["sourceType"], pending["title"]) == ("ingest", "audio_file", "My song")

    ingest(web.services, JobId(pending["jobId"]))
    job = web.client.get(answer.headers["Location"]).get_json()
    asset_id = job["result"]["assetId"]
    assert job["status"] == "complete"
    assert job["result"]["metadata"]["sampleRate"] == 8000
    assert job["downloadUrl"] == f"{ASSETS}/{asset_id}/stream"

    shown = web.client.get(f"{ASSETS}/{asset_id}").get_json()
    assert (shown["originalFilename"], shown["edits"]) == ("My song.wav", None)
    assert shown["provenance"]["sourceType"] == "audio_file"
    assert [zoom["samplesPerPixel"] for zoom in shown["peaks"]["zooms"]] == [512, 4096, 32768]
    assert web.stored("uploads/") == []


def test_the_sound_is_served_in_ranges_by_its_link(web: Web, song: bytes) -> None:
    link = str(taken_in(web, song)["downloadUrl"])
    led = web.client.get(link)

    assert led.status_code == 302
    part = web.client.get(local(led.headers["Location"]), headers={"Range": "bytes=4-7"})
    assert (part.status_code, part.data) == (206, song[4:8])
    assert web.client.get(f"{link}?variant=prepared").status_code == 404
    assert web.client.get(f"{link}?variant=other").status_code == 400


def test_assets_are_listed_with_what_they_take(web: Web, song: bytes) -> None:
    assert web.client.get(ASSETS).get_json()["diskUsage"]["bytes"] == 0
    job = taken_in(web, song)
    listed = web.client.get(ASSETS).get_json()

    assert [asset["assetId"] for asset in listed["assets"]] == [job["result"]["assetId"]]  # type: ignore[index]
    sizes = sum(web.objects.stat(key).size for key in web.stored("assets/"))  # type: ignore[arg-type]
    assert listed["diskUsage"] == {"bytes": sizes, "mb": 0.0, "quotaGB": 5.0}


def test_a_deleted_asset_is_gone(web: Web, song: bytes) -> None:
    asset_id = taken_in(web, song)["result"]["assetId"]  # type: ignore[index]

    assert web.client.delete(f"{ASSETS}/{asset_id}").get_json() == {"deleted": asset_id}
    assert web.stored() == []
    for method, path in (("GET", ""), ("GET", "/stream"), ("DELETE", "")):
        assert web.client.open(f"{ASSETS}/{asset_id}{path}", method=method).status_code == 404


def test_an_upload_is_taken_in_by_its_key(web: Web, song: bytes) -> None:
    asked = web.client.post("/api/storage/upload", json={"filename": "a.wav", "size": len(song)}).get_json()
    web.client.put(local(asked["uploadUrl"]), data=song, headers=asked["headers"])
    assert web.client.get(ASSETS).get_json()["diskUsage"]["bytes"] == 0, "what is on its way takes no room"
    body = {"type": "audio_file", "storageKey": asked["key"], "filename": "a.wav"}
    answer = web.client.post(INGEST, json=body)

    assert answer.status_code == 202
    ingest(web.services, JobId(answer.get_json()["jobId"]))
    assert web.client.get(answer.headers["Location"]).get_json()["status"] == "complete"


def test_a_large_file_is_never_whole_in_memory(web: Web) -> None:
    """The parts of a form used to be gathered before any of it was looked at."""
    blocks = large_sound(12)
    size = sum(len(block) for block in large_sound(12))
    asked = web.client.post("/api/storage/upload", json={"filename": "a.wav", "size": size}).get_json()
    form = CountedBody(form_blocks({"type": "audio_file"}, large_sound(12)))

    tracemalloc.start()
    sent = post_streamed(web.client, INGEST, form)
    put = web.client.put(
        local(asked["uploadUrl"]),
        environ_overrides={"wsgi.input": CountedBody(blocks), "CONTENT_LENGTH": str(size)},
        headers=asked["headers"],
    )
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert (sent.status_code, put.status_code) == (202, 201)
    assert most < 5 << 20


def large_sound(mebibytes: int) -> Iterator[bytes]:
    """A WAV of silence, half a MiB at a time."""
    size = mebibytes << 20
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 2, 48_000, 192_000, 4, 16)
    yield b"RIFF" + struct.pack("<I", size + 36) + b"WAVE" + form + b"data" + struct.pack("<I", size)
    yield from (bytes(1 << 19) for _ in range(mebibytes * 2))


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"type": "youtube", "url": "https://youtu.be/jNQXAC9IVRw"}, 400, "rightsAttested"),
        ({"type": "youtube", "url": "https://vimeo.com/1", "rightsAttested": True}, 400, "url"),
        ({"type": "url", "url": "http://example.com/a.mp3"}, 400, "url"),
        ({"type": "url", "url": "https://[::ffff:10.0.0.1]/a.mp3"}, 400, "url"),
        ({"type": "url", "url": "https://a.example/b", "path": "/etc/passwd"}, 400, "path"),
        ({"type": "audio_file", "storageKey": "assets/a/original.mp3"}, 400, "storageKey"),
        ({"type": "audio_file", "storageKey": f"uploads/{'a' * 36}/original.mp3"}, 400, "storageKey"),
        ({"type": "path", "path": "/etc/passwd"}, 400, "type"),
        ({}, 400, "type"),
    ],
)
def test_what_cannot_be_taken_in_names_its_field(
    web: Web, body: dict[str, object], status: int, field: str
) -> None:
    answer = web.client.post(INGEST, json=body)

    assert answer.status_code == status
    assert set(error_of(answer)["details"]) == {field}
    assert web.jobs() == []


def test_a_form_that_becomes_no_job_leaves_nothing(web: Web, song: bytes, tmp_path: Path) -> None:
    for answer, status in (
        (send(web, b"this is no sound"), 422),
        (send(web, song, type="path"), 400),
        (web.client.post(INGEST, data={"other": (BytesIO(song), "a.wav")}), 400),
        (send(open_web(tmp_path, limits=Limits(assets_bytes=0)), song), 413),
        (send(open_web(tmp_path, limits=Limits(upload_bytes=1000)), song), 413),
    ):
        assert answer.status_code == status
    assert (web.jobs(), web.stored()) == ([], [])


def test_an_ingest_is_no_render(web: Web, song: bytes) -> None:
    job = taken_in(web, song)

    assert web.client.get(f"/api/render/{job['jobId']}").status_code == 404
    assert web.client.get("/api/render").get_json()["jobs"] == []
    assert web.client.get("/jobs").status_code == 200
