"""One envelope: what the domain refuses, what Flask refuses, and what nobody foresaw."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ethereal.errors import (
    ConflictError,
    EtherealError,
    GoneError,
    LeaseLostError,
    NotBuiltError,
    RenderError,
    StoreUnavailableError,
    TooLargeError,
    UnreadableAudioError,
    all_errors,
)
from tests.web_builders import Web, error_of, open_web
from web import access
from web.errors import status_of


@pytest.fixture
def web(tmp_path: Path) -> Web:
    return open_web(tmp_path)


def raise_from(web: Web, error: Exception, path: str = "/api/broken") -> None:
    @access.public
    def broken() -> str:
        raise error

    web.app.add_url_rule(path, view_func=broken)


DELIBERATE = [kind for kind in all_errors() if kind.__module__ == EtherealError.__module__]


@pytest.mark.parametrize("kind", DELIBERATE, ids=lambda kind: kind.__name__)
def test_every_deliberate_error_has_a_status(kind: type[EtherealError]) -> None:
    assert 400 <= status_of(kind("so it is")) <= 503


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (UnreadableAudioError("no sound"), 422),
        (TooLargeError("too long"), 413),
        (LeaseLostError("late"), 409),
        (ConflictError("moved on"), 409),
        (GoneError("was here"), 410),
        (NotBuiltError("later"), 501),
        (StoreUnavailableError("away"), 503),
        (RenderError("the driver at 0x1234 broke"), 500),
    ],
)
def test_an_error_of_the_domain_keeps_its_code(web: Web, error: EtherealError, status: int) -> None:
    raise_from(web, error)

    response = web.client.get("/api/broken")

    assert response.status_code == status
    assert error_of(response)["code"] == error.code


def test_a_dependency_that_is_down_says_when_to_come_back(web: Web) -> None:
    raise_from(web, StoreUnavailableError("away"))

    assert int(web.client.get("/api/broken").headers["Retry-After"]) > 0


def test_an_accident_tells_nothing_of_the_inside(web: Web) -> None:
    raise_from(web, ZeroDivisionError("password=hunter2"))

    response = web.client.get("/api/broken")

    assert response.status_code == 500
    assert error_of(response) == {"code": "INTERNAL_ERROR", "message": "Something went wrong on our side."}


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/nothing", 404, "NOT_FOUND"),
        ("PUT", "/api/jobs", 405, "METHOD_NOT_ALLOWED"),
        ("POST", "/api/storage/upload", 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("GET", "/scenes/nothing.js", 404, "NOT_FOUND"),
    ],
)
def test_what_flask_refuses_has_the_same_envelope(
    web: Web, method: str, path: str, status: int, code: str
) -> None:
    response = web.client.open(path, method=method)

    assert response.status_code == status
    assert error_of(response)["code"] == code
    assert error_of(response)["message"]


def test_json_that_is_too_large_is_refused(web: Web) -> None:
    body = b'{"filename": "' + b"x" * (70 << 10) + b'"}'
    response = web.client.post("/api/storage/upload", data=body, content_type="application/json")

    assert response.status_code == 413
    assert error_of(response)["code"] == "TOO_LARGE"


def test_people_get_a_page_instead(web: Web) -> None:
    raise_from(web, ZeroDivisionError("inside"), "/broken")

    for path, status, words in (
        ("/nothing", 404, "Nothing burns here"),
        ("/broken", 500, "Something went wrong"),
    ):
        response = web.client.get(path)
        assert response.status_code == status
        assert words in response.get_data(as_text=True)
        assert response.headers["X-Request-Id"] in response.get_data(as_text=True)


def test_somebody_who_opens_an_expired_link_in_a_browser_gets_a_page(web: Web) -> None:
    response = web.client.get("/api/storage/download", headers={"Sec-Fetch-Dest": "document"})

    assert response.status_code == 403
    assert response.mimetype == "text/html"


def test_every_answer_has_an_id_to_ask_about(web: Web) -> None:
    for path in ("/", "/api/jobs", "/api/nothing", "/healthz"):
        assert re.fullmatch(r"[0-9a-f]{32}", web.client.get(path).headers["X-Request-Id"])
    given = web.client.get("/", headers={"X-Request-Id": "from-a-proxy-17"})
    assert given.headers["X-Request-Id"] == "from-a-proxy-17"
    forged = web.client.get("/", headers={"X-Request-Id": "<script>alert(1)</script>"})
    assert "<" not in forged.headers["X-Request-Id"]
