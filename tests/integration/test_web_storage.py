"""The links of the local store: put once, exactly as announced; read whole or in part; void when changed."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO
from pathlib import Path
from urllib.parse import urlencode

import pytest
from werkzeug.test import TestResponse

from ethereal.services import Limits
from ethereal.storage.keys import StorageKey
from tests.web_builders import CountedBody, Web, error_of, local, open_web, query_of

CONTENT = bytes(range(256)) * 40
KEY = StorageKey("renders/123/output.mp4")


@pytest.fixture
def web(tmp_path: Path) -> Web:
    return open_web(tmp_path)


@pytest.fixture
def link(web: Web) -> str:
    web.objects.put_stream(KEY, BytesIO(CONTENT))
    return local(web.services.objects.sign_get(KEY, lifetime=timedelta(hours=1)))


def ask(web: Web, **changes: object) -> TestResponse:
    wanted = {"filename": "a song.wav", "contentType": "audio/wav", "size": len(CONTENT)} | changes
    return web.client.post("/api/storage/upload", json=wanted)


def part(web: Web, link: str, wanted: str) -> TestResponse:
    return web.client.get(link, headers={"Range": wanted})


def test_a_link_says_where_how_and_until_when_to_put_a_file(web: Web) -> None:
    given = ask(web).get_json()

    assert given["method"] == "PUT"
    assert given["headers"] == {"Content-Type": "audio/wav"}
    assert given["key"].startswith("uploads/")
    assert given["key"].endswith("/original.wav")
    assert given["expiresAt"] == "2026-01-01T13:00:00.000Z"


def test_the_type_of_a_file_follows_from_its_name_when_nobody_says(web: Web) -> None:
    given = web.client.post("/api/storage/upload", json={"filename": "a.flac", "size": 5}).get_json()

    assert given["headers"] == {"Content-Type": "audio/flac"}


def test_what_is_put_is_stored(web: Web) -> None:
    given = ask(web).get_json()

    response = web.client.put(local(given["uploadUrl"]), data=CONTENT, headers=given["headers"])

    assert response.status_code == 201
    assert response.get_json()["size"] == len(CONTENT)
    with web.services.objects.open(given["key"]) as stored:
        assert stored.read() == CONTENT


def test_a_stream_without_a_length_is_taken_when_it_has_the_announced_size(web: Web) -> None:
    given = ask(web).get_json()
    for content, status in ((CONTENT[:-1], 400), (CONTENT + b"!", 413), (CONTENT, 201)):
        environ = {"wsgi.input": CountedBody(iter([content])), "wsgi.input_terminated": True}
        response = web.client.put(
            local(given["uploadUrl"]),
            environ_overrides={**environ, "CONTENT_LENGTH": "", "CONTENT_TYPE": "audio/wav"},
        )
        assert response.status_code == status
        assert web.stored() == ([given["key"]] if status == 201 else [])


def test_a_truncated_upload_is_refused_and_nothing_is_stored(web: Web) -> None:
    given = ask(web).get_json()
    response = web.client.put(
        local(given["uploadUrl"]),
        headers=given["headers"],
        environ_overrides={
            "wsgi.input": CountedBody(iter([CONTENT[:100]])),
            "CONTENT_LENGTH": str(len(CONTENT)),
        },
    )

    assert response.status_code == 400
    assert web.stored() == []


def test_an_upload_of_another_size_or_type_is_refused(web: Web) -> None:
    given = ask(web).get_json()
    path = local(given["uploadUrl"])

    assert web.client.put(path, data=CONTENT + b"!", headers=given["headers"]).status_code == 400
    assert web.client.put(path, data=b"", headers=given["headers"]).status_code == 400
    assert web.client.put(path, data=CONTENT, content_type="text/html").status_code == 415
    assert web.stored() == []


def test_a_link_takes_one_file(web: Web) -> None:
    given = ask(web).get_json()
    path = local(given["uploadUrl"])

    assert web.client.put(path, data=CONTENT, headers=given["headers"]).status_code == 201
    assert web.client.put(path, data=CONTENT, headers=given["headers"]).status_code == 409


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"size": 0}, 400),
        ({"size": -5}, 400),
        ({"size": 200 << 20}, 413),
        ({"size": "many"}, 400),
        ({"filename": "run.exe"}, 400),
        ({"filename": ""}, 400),
        ({"contentType": "no type"}, 400),
        ({"key": "renders/x/output.mp4"}, 400),
    ],
)
def test_an_upload_that_could_not_be_taken_gets_no_link(
    web: Web, changes: dict[str, object], status: int
) -> None:
    response = ask(web, **changes)

    assert response.status_code == status
    assert error_of(response)["details"]


def test_a_file_over_the_limit_gets_no_link(tmp_path: Path) -> None:
    web = open_web(tmp_path, limits=Limits(upload_bytes=100))

    assert ask(web, size=101).status_code == 413
    assert ask(web, size=100).status_code == 200


@pytest.mark.parametrize("field", ["key", "expires", "size", "contentType", "signature"])
def test_a_link_that_was_changed_is_void(web: Web, field: str) -> None:
    given = ask(web).get_json()
    changed = query_of(given["uploadUrl"])
    changed[field] = {"key": "uploads/123e4567-e89b-42d3-a456-426614174000/original.wav"}.get(
        field, "99999999999"
    )

    response = web.client.put(
        f"/api/storage/upload?{urlencode(changed)}", data=CONTENT, headers=given["headers"]
    )

    assert response.status_code == 403
    assert web.stored() == []


def test_a_link_to_read_does_not_put(web: Web, link: str) -> None:
    assert web.client.put(link.replace("download", "upload"), data=b"x").status_code == 403
    assert web.client.get("/api/storage/download").status_code == 403
    assert web.client.get(f"/api/storage/download?key={KEY}").status_code == 403
    assert web.client.get("/api/storage/download?key=../secret&signature=x").status_code == 403


def test_a_link_expires(web: Web, link: str) -> None:
    web.clock.turn(timedelta(minutes=61))

    response = web.client.get(link)

    assert response.status_code == 403
    assert error_of(response) == {"code": "FORBIDDEN", "message": "this link has expired"}


def test_an_object_that_is_gone_is_not_found(web: Web, link: str) -> None:
    web.services.objects.delete(KEY)

    assert web.client.get(link).status_code == 404


def test_an_object_is_read_whole(web: Web, link: str) -> None:
    response = web.client.get(link)

    assert (response.status_code, response.data) == (200, CONTENT)
    assert response.mimetype == "video/mp4"
    assert response.headers["Accept-Ranges"] == "bytes"
    assert "Content-Disposition" not in response.headers


def test_a_head_tells_the_size_and_sends_nothing(web: Web, link: str) -> None:
    response = web.client.head(link)

    assert (response.status_code, response.data) == (200, b"")
    assert response.headers["Content-Length"] == str(len(CONTENT))


@pytest.mark.parametrize(
    ("wanted", "first", "last"),
    [
        ("bytes=0-99", 0, 99),
        ("bytes=100-", 100, 10239),
        ("bytes=-7", 10233, 10239),
        ("bytes=10239-99999", 10239, 10239),
    ],
)
def test_a_part_is_read_as_asked(web: Web, link: str, wanted: str, first: int, last: int) -> None:
    response = part(web, link, wanted)

    assert response.status_code == 206
    assert response.data == CONTENT[first : last + 1]
    assert response.headers["Content-Range"] == f"bytes {first}-{last}/{len(CONTENT)}"
    assert response.headers["Content-Length"] == str(last + 1 - first)


@pytest.mark.parametrize("wanted", ["bytes=-99999", "bytes=0-1,5-6", "lines=1-2"])
def test_a_range_that_cannot_be_served_in_one_part_gives_the_whole(web: Web, link: str, wanted: str) -> None:
    assert part(web, link, wanted).data == CONTENT


@pytest.mark.parametrize("wanted", ["bytes=99999-", "bytes=9-5"])
def test_a_part_beyond_the_end_or_backwards_is_not_satisfiable(web: Web, link: str, wanted: str) -> None:
    response = part(web, link, wanted)

    assert response.status_code == 416
    assert response.headers["Content-Range"] == f"bytes */{len(CONTENT)}"
    assert error_of(response)["code"] == "RANGE_NOT_SATISFIABLE"


def test_an_object_that_the_client_has_is_not_sent_again(web: Web, link: str) -> None:
    tag = web.client.get(link).headers["ETag"]

    assert web.client.get(link, headers={"If-None-Match": tag}).status_code == 304
    assert web.client.get(link, headers={"Range": "bytes=0-3", "If-Range": '"other"'}).status_code == 200
    assert web.client.get(link, headers={"Range": "bytes=0-3", "If-Range": tag}).status_code == 206
