"""Links straight into the bucket, used over HTTP as browsers and renderers use them."""

from __future__ import annotations

import http.client
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from email.message import Message
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from ethereal.storage.keys import StorageKey
from ethereal.storage.r2 import R2ObjectStore
from ethereal.storage.r2_setup import set_up_bucket
from ethereal.storage.store import PEOPLE, RENDERER, UPLOAD
from tests.standins.r2 import R2StandIn, open_r2

KEY = StorageKey("renders/a/output.mp4")
DATA = bytes(range(256)) * 40
PAGE = "https://ethereal.example"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Message
    body: bytes


@pytest.fixture
def r2() -> Iterator[R2StandIn]:
    with open_r2() as running:
        yield running


@pytest.fixture
def store(r2: R2StandIn, tmp_path: Path) -> R2ObjectStore:
    store = R2ObjectStore(r2.bucket())
    (tmp_path / "video").write_bytes(DATA)
    store.put(KEY, tmp_path / "video")
    return store


def ask(method: str, url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> Answer:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=10)
    connection.request(method, f"{parts.path}?{parts.query}", body, dict(headers or {}))
    response = connection.getresponse()
    answer = Answer(response.status, response.headers, response.read())
    connection.close()
    return answer


def test_a_link_reads_the_object_and_parts_of_it(store: R2ObjectStore) -> None:
    link = store.sign_get(KEY, lifetime=PEOPLE)

    whole = ask("GET", link)
    assert (whole.status, whole.body, whole.headers["Content-Type"]) == (200, DATA, "video/mp4")
    part = ask("GET", link, headers={"Range": "bytes=100-199"})
    assert (part.status, part.body) == (206, DATA[100:200])
    tail = ask("GET", link, headers={"Range": "bytes=-10"})
    assert (tail.status, tail.body) == (206, DATA[-10:])


def test_a_browser_saves_under_the_name_that_the_link_carries(store: R2ObjectStore) -> None:
    answer = ask("GET", store.sign_get(KEY, lifetime=PEOPLE, filename='Sóng "& 舞.mp4'))

    assert answer.status == 200
    assert answer.headers["Content-Disposition"] == (
        "attachment; filename=\"S_ng _& _.mp4\"; filename*=UTF-8''S%C3%B3ng%20%22%26%20%E8%88%9E.mp4"
    )


def test_a_changed_link_is_refused(store: R2ObjectStore) -> None:
    link = store.sign_get(KEY, lifetime=RENDERER, filename="a.mp4")
    for changed in (
        link.replace("output.mp4", "other.mp4"),
        link.replace("a.mp4%22", "b.mp4%22"),
        link.replace("X-Amz-Expires=3600", "X-Amz-Expires=604800"),
        link[:-1] + ("0" if link[-1] != "0" else "1"),
    ):
        assert changed != link
        assert ask("GET", changed).status == 403
    assert ask("PUT", link, b"x").status == 403
    assert ask("DELETE", link).status == 403


def test_a_link_expires(store: R2ObjectStore, r2: R2StandIn) -> None:
    link = store.sign_get(KEY, lifetime=RENDERER)
    r2.ahead = RENDERER - timedelta(minutes=1)
    assert ask("GET", link).status == 200
    r2.ahead = RENDERER + timedelta(minutes=1)
    assert ask("GET", link).status == 403


def test_no_link_is_asked_to_live_longer_than_r2_allows(store: R2ObjectStore) -> None:
    assert ask("GET", store.sign_get(KEY, lifetime=timedelta(days=400))).status == 200


def test_a_link_takes_exactly_the_file_it_was_given_for(store: R2ObjectStore) -> None:
    key = StorageKey("uploads/12345678-1234-1234-1234-123456789abc/original.flac")
    link = store.sign_put(key, size=5, content_type="audio/flac", lifetime=UPLOAD)

    assert ask("PUT", link.url, b"12345", {"Content-Type": "text/html"}).status == 403
    assert ask("PUT", link.url, b"123456", link.headers).status == 403
    assert ask("PUT", link.url, b"1234", link.headers).status == 403
    assert not store.exists(key)
    assert ask(link.method, link.url, b"12345", link.headers).status == 200
    assert (store.stat(key).size, store.stat(key).content_type) == (5, "audio/flac")


def test_a_link_for_a_renderer_takes_a_file_of_any_size(store: R2ObjectStore) -> None:
    link = store.sign_put(KEY, size=None, content_type="video/mp4", lifetime=RENDERER)

    assert ask("PUT", link.url, b"123", {"Content-Type": "text/html"}).status == 403
    for body in (b"12345", b"123456789"):
        assert ask("PUT", link.url, body, link.headers).status == 200
        assert store.stat(KEY).size == len(body)


def test_pages_of_the_set_origins_may_put_and_no_others(store: R2ObjectStore) -> None:
    link = store.sign_put(KEY, size=5, content_type="video/mp4", lifetime=UPLOAD)
    preflight = {
        "Origin": PAGE,
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "content-type",
    }
    assert ask("OPTIONS", link.url, headers=preflight).status == 403
    set_up_bucket(store, [PAGE])

    granted = ask("OPTIONS", link.url, headers=preflight)
    assert (granted.status, granted.headers["Access-Control-Allow-Origin"]) == (204, PAGE)
    assert granted.headers["Access-Control-Allow-Headers"] == "content-type"
    put = ask("PUT", link.url, b"12345", {**link.headers, "Origin": PAGE})
    assert (put.status, put.headers["Access-Control-Allow-Origin"]) == (200, PAGE)
    assert ask("OPTIONS", link.url, headers=preflight | {"Origin": "https://evil.example"}).status == 403


def test_setting_a_bucket_up_again_changes_nothing(store: R2ObjectStore, r2: R2StandIn) -> None:
    first = set_up_bucket(store, [PAGE])
    writes = r2.seen["PUT"]

    again = set_up_bucket(store, [PAGE])
    assert r2.seen["PUT"] == writes
    assert [line.endswith(": set") for line in first] == [True] * 5
    assert [line.endswith(": was so already") for line in again] == [True] * 5
    assert "moved.example" in set_up_bucket(store, ["https://moved.example"])[0]
    assert r2.seen["PUT"] == writes + 1


def test_lifecycle_rules_of_others_stay(store: R2ObjectStore) -> None:
    client, bucket = store.bucket.client, store.bucket.name
    theirs = {"ID": "Theirs", "Status": "Enabled", "Filter": {"Prefix": "logs/"}, "Expiration": {"Days": 3}}
    client.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [theirs]})
    set_up_bucket(store, [PAGE])

    rules = client.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert [rule["ID"] for rule in rules] == [
        "Theirs",
        "ethereal-uploads",
        "ethereal-plans",
        "ethereal-reuse",
        "ethereal-unfinished",
    ]
