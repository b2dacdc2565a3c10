"""Links to local objects; the web app that serves them has tests of its own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from ethereal.errors import ForbiddenError
from ethereal.storage.keys import StorageKey
from ethereal.storage.local import LocalObjectStore
from ethereal.storage.signing import Signer
from ethereal.storage.store import PEOPLE

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
KEY = StorageKey("renders/a/output.mp4")


def _fields(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query))


def test_a_signed_link_allows_what_it_says_until_it_expires(tmp_path: Path) -> None:
    now = [NOON]
    store = LocalObjectStore(
        tmp_path, base_url="http://127.0.0.1:1", signer=Signer(b"secret"), clock=lambda: now[0]
    )
    fields = _fields(store.sign_get(KEY, lifetime=PEOPLE, filename="Sóng & dance.mp4"))

    permit = store.check_link("GET", fields)
    assert (permit.key, permit.filename) == (KEY, "Sóng & dance.mp4")
    now[0] += PEOPLE + timedelta(seconds=1)
    with pytest.raises(ForbiddenError, match="expired"):
        store.check_link("GET", fields)


def test_a_changed_link_is_void(tmp_path: Path) -> None:
    store = LocalObjectStore(
        tmp_path, base_url="http://127.0.0.1:1", signer=Signer(b"secret"), clock=lambda: NOON
    )
    upload = store.sign_put(KEY, size=5, content_type="video/mp4", lifetime=PEOPLE)
    fields = _fields(upload.url)
    assert store.check_link("PUT", fields).size == 5

    for name, value in (
        ("key", "renders/b/output.mp4"),
        ("expires", str(int(fields["expires"]) + 1)),
        ("size", "6"),
        ("contentType", "text/html"),
        ("filename", "other"),
        ("signature", "é" * 64),
        ("size", "many"),
    ):
        with pytest.raises(ForbiddenError):
            store.check_link("PUT", fields | {name: value})
    with pytest.raises(ForbiddenError):
        store.check_link("GET", fields)
