"""Is it alive, is it ready, how much waits; and what can be chosen."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from ethereal.errors import BrokerUnavailableError
from ethereal.render.formats import FORMATS
from ethereal.settings import Settings
from tests.builders import add_job
from tests.web_builders import BASE_URL, Web, error_of, open_web
from web import create_app


@pytest.fixture
def web(tmp_path: Path) -> Web:
    return open_web(tmp_path)


def broken() -> None:
    raise BrokerUnavailableError("the broker does not answer")


def test_a_process_that_answers_is_alive(web: Web) -> None:
    assert web.client.get("/healthz").get_json() == {"status": "ok"}


def test_it_is_ready_when_everything_it_needs_answers(tmp_path: Path, web: Web) -> None:
    chosen = Settings(_env_file=None, data_dir=tmp_path)
    checks = {"broker": lambda: None, "store": lambda: None}
    client = create_app(web.services, chosen, secret=b"x", checks=checks).test_client()

    response = client.get("/readyz", base_url=BASE_URL)

    assert response.get_json() == {"status": "ok", "checks": {"broker": "ok", "store": "ok"}}


def test_it_is_not_ready_and_says_why_when_a_part_is_silent(tmp_path: Path, web: Web) -> None:
    chosen = Settings(_env_file=None, data_dir=tmp_path)
    checks = {"store": lambda: None, "broker": broken}
    client = create_app(web.services, chosen, secret=b"x", checks=checks).test_client()

    response = client.get("/readyz", base_url=BASE_URL)

    assert response.status_code == 503
    assert error_of(response)["code"] == "UNAVAILABLE"
    assert error_of(response)["details"] == {"broker": ["the broker does not answer"]}


def test_numbers_say_how_many_jobs_there_are_and_how_long_one_waits(web: Web) -> None:
    add_job(web.services)
    web.clock.turn(timedelta(seconds=90))
    add_job(web.services)
    web.add_complete()

    text = web.client.get("/metrics").get_data(as_text=True)

    assert 'ethereal_jobs{status="pending"} 2.0' in text
    assert 'ethereal_jobs{status="complete"} 1.0' in text
    assert "ethereal_oldest_pending_seconds 90.0" in text


def test_templates_come_with_pictures_and_scenes_that_can_be_loaded(web: Web) -> None:
    templates = web.client.get("/api/templates").get_json()["templates"]

    assert templates[0]["id"] == "ethereal-flame"
    for template in templates:
        assert web.client.get(template["pictureUrl"]).mimetype == "image/jpeg"
        assert web.client.get(template["sceneUrl"]).mimetype == "text/javascript"


def test_formats_that_are_offered_are_formats_that_are_built(web: Web) -> None:
    found = web.client.get("/api/formats").get_json()

    assert {"draft-360p", "draft-720p", "flat-1080p-landscape"} <= {
        choice["id"] for choice in found["formats"]
    }
    assert {choice["id"] for choice in found["formats"]} == set(FORMATS)
    assert found["fps"] == [24, 25, 30, 50, 60]
    assert [quality["id"] for quality in found["qualities"]] == ["draft", "standard", "high"]


@pytest.mark.parametrize(
    "path", ["/scenes/__init__.py", "/scenes/draw.html", "/scenes/../errors.py", "/static/../face.py"]
)
def test_only_files_for_browsers_are_served(web: Web, path: str) -> None:
    assert web.client.get(path).status_code == 404
