"""The locks of the web app, route by route: who may, from where, how often, and what is told to browsers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.builders import add_job
from tests.web_builders import Web, error_of, open_web, song_bytes
from web.access import Rule, rule_of
from web.pace import Act, act_of

TOKEN = "a token of more than sixteen letters"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
PUBLIC_APP = {"host": "0.0.0.0", "public_url": "http://127.0.0.1:1", "api_token": TOKEN}
EVIL = {"Origin": "https://evil.example"}
#: Routes that change something and make no work: they are not counted.
FREE = {
    "api_assets.delete",
    "api_jobs.cancel_audio_job",
    "api_jobs.cancel_job",
    "api_jobs.delete_job",
    "api_render.end",
    "api_storage.put",  # each link is for one file
    "farm.show",
    "pages.cancel",
    "pages.delete",
    "sign_in.leave",
    "sounds.delete",
}
SAFE = {"GET", "HEAD", "OPTIONS"}


@pytest.fixture
def locked(tmp_path: Path) -> Web:
    return open_web(tmp_path, **PUBLIC_APP)


def routes(web: Web) -> Iterator[tuple[str, str, str, Rule]]:
    """Each method, address, endpoint and rule."""
    for route in web.app.url_map.iter_rules():
        rule = rule_of(web.app.view_functions[route.endpoint])
        assert rule is not None, f"{route.endpoint} says nobody may use it"
        path = re.sub(r"<(?:\w+:)?\w+>", "nothing", route.rule)
        for method in sorted((route.methods or set()) - {"HEAD", "OPTIONS"}):
            yield method, path, route.endpoint, rule


def signed_in(web: Web) -> FlaskClient:
    client = web.client
    page = client.get("/login").get_data(as_text=True)
    found = re.search(r'name="csrfToken" value="([^"]+)"', page)
    assert found
    assert client.post("/login", data={"csrfToken": found[1], "token": TOKEN}).status_code == 303
    return client


def test_who_proves_nothing_gets_nothing_but_what_is_public(locked: Web) -> None:
    for method, path, endpoint, rule in routes(locked):
        answer = locked.client.open(path, method=method)
        match rule:
            case Rule.PERSON | Rule.FORM | Rule.STREAMED_FORM:
                assert (answer.status_code, answer.headers["Location"][:7]) == (303, "/login?"), endpoint
            case Rule.PERSON_OR_TOKEN:
                assert (answer.status_code, error_of(answer)["code"]) == (401, "UNAUTHORIZED"), endpoint
            case Rule.SIGNED:
                assert answer.status_code in (401, 403), endpoint
            case Rule.PUBLIC:
                assert answer.status_code in (200, 303, 403, 404), endpoint


def test_another_site_cannot_use_the_session_of_who_is_signed_in(locked: Web) -> None:
    client = signed_in(locked)
    for method, path, endpoint, rule in routes(locked):
        if method not in SAFE and rule is not Rule.SIGNED:
            assert client.open(path, method=method, headers=EVIL).status_code == 403, endpoint
            site = {"Sec-Fetch-Site": "cross-site"}
            assert client.open(path, method=method, headers=site).status_code == 403, endpoint


def test_a_form_of_ours_is_nothing_without_its_token(locked: Web) -> None:
    client = signed_in(locked)
    forms = [route for route in routes(locked) if route[3] in (Rule.FORM, Rule.STREAMED_FORM)]
    for method, path, endpoint, _ in forms:
        data = {"csrfToken": "guessed"}
        answer = client.open(path, method=method, data=data, content_type="multipart/form-data")
        assert answer.status_code == 403, endpoint
    assert len(forms) >= 6


def test_every_answer_of_every_route_is_guarded(locked: Web) -> None:
    client = signed_in(locked)
    for method, path, endpoint, _ in routes(locked):
        headers = client.open(path, method=method, headers=EVIL if method not in SAFE else {}).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy, endpoint
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert "Strict-Transport-Security" not in headers


def test_browsers_are_told_to_stay_with_tls_where_people_come_by_it(tmp_path: Path) -> None:
    web = open_web(tmp_path, **PUBLIC_APP | {"public_url": "https://fire.example"})
    answer = web.client.get("/login", base_url="https://fire.example")

    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert {"Secure", "HttpOnly", "SameSite=Lax"} <= set(answer.headers["Set-Cookie"].split("; "))


def test_every_route_that_changes_something_is_counted_or_makes_no_work(locked: Web) -> None:
    views = locked.app.view_functions
    changing = {endpoint for method, _, endpoint, _ in routes(locked) if method not in SAFE}

    assert {endpoint for endpoint in changing if act_of(views[endpoint]) is None} == FREE
    assert act_of(views["sign_in.enter"]) is Act.SIGN_IN
    assert act_of(views["webhooks.hear"]) is Act.REPORT


def test_nobody_guesses_for_long(tmp_path: Path) -> None:
    web = open_web(tmp_path, **PUBLIC_APP, sign_ins_per_minute=3)
    wrong = {"Authorization": "Bearer wrong"}

    assert [web.client.get("/api/jobs", headers=wrong).status_code for _ in range(4)] == [401] * 3 + [429]
    refused = web.client.post("/login", data={"token": TOKEN})
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    assert web.client.get("/api/jobs", headers=BEARER).status_code == 200  # who knows the token comes in


def test_a_client_sends_so_much_a_minute_and_reads_as_it_likes(tmp_path: Path) -> None:
    web = open_web(tmp_path, **PUBLIC_APP, submits_per_minute=2)
    ann = BEARER | {"X-Client-Id": "ann"}

    def send(headers: dict[str, str]) -> int:
        return web.client.post("/api/render", json={}, headers=headers).status_code

    assert [send(ann) for _ in range(3)] == [400, 400, 429]
    assert send(BEARER | {"X-Client-Id": "bob"}) == 400
    assert web.client.get("/api/jobs", headers=ann).status_code == 200
    refused = web.client.post("/api/storage/upload", json={}, headers=ann)
    assert error_of(refused)["code"] == "TOO_MANY_REQUESTS"


def test_on_this_machine_alone_nobody_counts_what_is_sent(tmp_path: Path) -> None:
    web = open_web(tmp_path)

    assert {web.client.post("/api/render", json={}).status_code for _ in range(150)} == {400}


def test_reports_are_counted_too(tmp_path: Path) -> None:
    web = open_web(tmp_path, reports_per_minute=2)

    assert [web.client.post("/api/webhooks/worker", json={}).status_code for _ in range(3)] == [401, 401, 429]


def test_behind_a_proxy_clients_are_told_apart_by_what_it_says(tmp_path: Path) -> None:
    web = open_web(tmp_path, **PUBLIC_APP, sign_ins_per_minute=1, trusted_proxies=1)

    def guess(forwarded: str) -> int:
        headers = {"Authorization": "Bearer wrong", "X-Forwarded-For": forwarded}
        return web.client.get("/api/jobs", headers=headers).status_code

    assert [guess("1.2.3.4"), guess("1.2.3.4"), guess("1.2.3.5")] == [401, 429, 401]
    assert guess("9.9.9.9, 1.2.3.4") == 429  # what the client itself put before the proxy's word


@pytest.mark.parametrize(
    "name",
    [
        "../../../../etc/passwd",
        "..\\..\\windows\\system32\\evil.wav",
        "/etc/shadow",
        "song.wav\x00.sh",
        "-rf ~.wav",
        "$(touch owned).wav",
        "CON.wav\r\nX-Evil: 1",
        "a" * 5000 + ".wav",
        "…/…/song.wav",
    ],
)
def test_the_name_of_a_file_leads_nowhere(tmp_path: Path, name: str) -> None:
    web = open_web(tmp_path / "web")
    outside = set((tmp_path / "web").rglob("*"))
    data = {"file": (BytesIO(song_bytes(tmp_path)), name), "outputFormat": "draft-360p"}

    answer = web.client.post("/api/render", data=data)

    assert answer.status_code in (202, 400)
    assert "X-Evil" not in answer.headers
    made = {path.relative_to(tmp_path / "web") for path in (tmp_path / "web").rglob("*")} - {
        path.relative_to(tmp_path / "web") for path in outside
    }
    assert {path.parts[0] for path in made} <= {"objects", "scratch"}
    for key in web.stored():
        assert re.fullmatch(r"uploads/[0-9a-f-]{36}/original\.[a-z0-9]{1,5}", key)
    assert not (Path.cwd() / "owned").exists()


def test_jobs_of_others_are_named_by_what_cannot_be_guessed(locked: Web) -> None:
    job = add_job(locked.services)

    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", job.id)
    for path in ("/api/jobs/1", "/api/jobs/../../etc", "/static/../access.py", "/scenes/../../settings.py"):
        assert locked.client.get(path, headers=BEARER).status_code == 404
