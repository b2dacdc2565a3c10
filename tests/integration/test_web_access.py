"""Who may: every route has a rule, other hosts and other sites are turned away, a token locks the door."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.builders import add_job
from tests.web_builders import Web, error_of, open_web
from web.access import Rule, rule_of

TOKEN = "a token of more than sixteen letters"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def web(tmp_path: Path) -> Web:
    return open_web(tmp_path)


@pytest.fixture
def locked(tmp_path: Path) -> Web:
    return open_web(tmp_path, api_token=TOKEN)


def form_token(client: FlaskClient, path: str = "/") -> str:
    found = re.search(r'name="csrfToken" value="([^"]+)"', client.get(path).get_data(as_text=True))
    assert found
    return found[1]


def sign_in(client: FlaskClient, token: str = TOKEN, **fields: str) -> TestResponse:
    data = {"csrfToken": form_token(client, "/login"), "token": token, **fields}
    return client.post("/login", data=data)


def test_every_route_declares_who_may_use_it(web: Web) -> None:
    views = {rule.endpoint: web.app.view_functions[rule.endpoint] for rule in web.app.url_map.iter_rules()}

    assert [endpoint for endpoint, view in views.items() if rule_of(view) is None] == []


def test_what_is_public_or_signed_is_a_short_list(web: Web) -> None:
    views = web.app.view_functions
    open_to_all = {name for name, view in views.items() if rule_of(view) in (Rule.PUBLIC, Rule.SIGNED)}

    assert open_to_all == {
        "assets.static",
        "assets.scene",
        "assets.icon",
        "health.alive",
        "health.ready",
        "sign_in.show",
        "sign_in.enter",
        "api_storage.put",
        "api_storage.download",
        "webhooks.hear",
    }


def test_a_route_without_a_rule_is_closed(web: Web) -> None:
    web.app.add_url_rule("/api/forgotten", view_func=lambda: "secret")

    assert web.client.get("/api/forgotten").status_code == 403


@pytest.mark.parametrize("host", ["127.0.0.1:8765", "localhost:8765", "LOCALHOST", "[::1]:8765"])
def test_this_machine_may_be_called_by_its_own_names(web: Web, host: str) -> None:
    assert web.client.get("/api/jobs", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:8765", "localhost.evil.example"])
def test_another_host_name_is_turned_away(web: Web, host: str) -> None:
    for path in ("/", "/api/jobs", "/healthz"):
        assert web.client.get(path, headers={"Host": host}).status_code == 403


def test_a_public_address_is_a_name_too(tmp_path: Path) -> None:
    web = open_web(tmp_path, public_url="https://fire.example")

    assert web.client.get("/api/jobs", headers={"Host": "fire.example"}).status_code == 200
    assert web.client.get("/api/jobs", headers={"Host": "evil.example"}).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://127.0.0.1:1"},
    ],
)
def test_another_site_cannot_act_through_a_browser(web: Web, headers: dict[str, str]) -> None:
    job = add_job(web.services)

    assert web.client.post(f"/api/jobs/{job.id}/cancel", headers=headers).status_code == 403
    assert web.client.delete(f"/api/render/{job.id}", headers=headers).status_code == 403
    assert web.client.post("/api/render", headers=headers, json={}).status_code == 403
    assert web.client.get(f"/api/jobs/{job.id}", headers=headers).status_code == 200


def test_our_own_pages_may_act(web: Web) -> None:
    job = add_job(web.services)
    own = {"Origin": "http://127.0.0.1:1", "Sec-Fetch-Site": "same-origin"}

    assert web.client.post(f"/api/jobs/{job.id}/cancel", headers=own).status_code == 200


def test_a_form_without_its_token_is_refused(web: Web) -> None:
    job = add_job(web.services)
    client = web.client

    for given in ({}, {"csrfToken": ""}, {"csrfToken": "guessed"}):
        assert client.post(f"/jobs/{job.id}/cancel", data=given).status_code == 403
        assert (
            client.post(
                "/", data={**given, "template": "aurora"}, content_type="multipart/form-data"
            ).status_code
            == 403
        )
    response = client.post(f"/jobs/{job.id}/cancel", data={"csrfToken": form_token(client)})
    assert (response.status_code, response.headers["Location"]) == (303, f"/jobs/{job.id}")


def test_the_token_of_somebody_else_does_not_fit(web: Web) -> None:
    job = add_job(web.services)
    stolen = form_token(web.client)
    other = web.client
    form_token(other)

    assert other.post(f"/jobs/{job.id}/cancel", data={"csrfToken": stolen}).status_code == 403


def test_programs_need_the_token_when_there_is_one(locked: Web) -> None:
    refused = locked.client.get("/api/jobs")

    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"] == "Bearer"
    assert error_of(refused)["code"] == "UNAUTHORIZED"
    assert locked.client.get("/api/jobs", headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert locked.client.get("/api/jobs", headers=BEARER).status_code == 200
    assert locked.client.get("/metrics").status_code == 401


def test_a_program_with_the_token_is_no_browser(locked: Web) -> None:
    job = add_job(locked.services)

    assert locked.client.post(f"/api/jobs/{job.id}/cancel", headers=BEARER).status_code == 200


def test_people_are_asked_to_sign_in_and_then_led_on(locked: Web) -> None:
    client = locked.client
    asked = client.get("/jobs?status=failed")
    assert (asked.status_code, asked.headers["Location"]) == (303, "/login?next=/jobs?status%3Dfailed")

    led = sign_in(client, next="/jobs?status=failed")

    assert (led.status_code, led.headers["Location"]) == (303, "/jobs?status=failed")
    assert client.get("/jobs").status_code == 200
    assert client.get("/api/jobs").status_code == 200


def test_a_session_is_out_of_reach_of_scripts_and_other_sites(locked: Web) -> None:
    cookie = sign_in(locked.client).headers["Set-Cookie"]

    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie


def test_a_session_over_tls_stays_there(tmp_path: Path) -> None:
    web = open_web(tmp_path, api_token=TOKEN, public_url="https://fire.example")

    assert "Secure" in web.client.get("/login", base_url="https://fire.example").headers["Set-Cookie"]


def test_a_wrong_token_is_told_beside_the_field(locked: Web) -> None:
    client = locked.client
    response = sign_in(client, "not the token at all")

    assert response.status_code == 401
    assert "This is not the token." in response.get_data(as_text=True)
    assert client.get("/jobs").status_code == 303


def test_nobody_signs_in_from_another_site(locked: Web) -> None:
    client = locked.client
    data = {"csrfToken": form_token(client, "/login"), "token": TOKEN}

    assert client.post("/login", data=data, headers={"Origin": "https://evil.example"}).status_code == 403
    assert client.post("/login", data={"token": TOKEN}).status_code == 403


@pytest.mark.parametrize(
    "place", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:x"]
)
def test_nobody_is_led_to_another_site(locked: Web, place: str) -> None:
    assert sign_in(locked.client, next=place).headers["Location"] == "/"


def test_signing_out_ends_the_session(locked: Web) -> None:
    client = locked.client
    sign_in(client)

    assert client.post("/logout", data={"csrfToken": form_token(client)}).status_code == 303
    assert client.get("/api/jobs").status_code == 401


def test_another_token_ends_all_sessions(tmp_path: Path, locked: Web) -> None:
    client = locked.client
    cookie = sign_in(client).headers["Set-Cookie"].partition(";")[0]
    changed = open_web(tmp_path, api_token=TOKEN + "!")

    assert changed.client.get("/jobs", headers={"Cookie": cookie}).status_code == 303


def test_an_open_machine_needs_no_sign_in(web: Web) -> None:
    assert web.client.get("/login").headers["Location"] == "/"
    assert "Sign out" not in web.client.get("/").get_data(as_text=True)


def test_every_answer_tells_a_browser_what_it_may_do(web: Web) -> None:
    for path in ("/", "/api/jobs", "/static/css/base.css", "/nothing", "/healthz"):
        headers = web.client.get(path).headers
        policy = headers["Content-Security-Policy"]
        assert "script-src 'self';" in policy
        assert "style-src 'self';" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"


def test_objects_of_a_bucket_may_be_shown(tmp_path: Path) -> None:
    web = open_web(
        tmp_path,
        storage="r2",
        r2_account_id="abc",
        r2_bucket="b",
        r2_access_key_id="k",
        r2_secret_access_key="s",
    )

    policy = web.client.get("/").headers["Content-Security-Policy"]
    assert "media-src 'self' blob: https://abc.r2.cloudflarestorage.com;" in policy
