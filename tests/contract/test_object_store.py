"""What every object store promises, held against each adapter."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from ethereal.errors import ForbiddenError, InvalidInputError, NotFoundError
from ethereal.storage.keys import StorageKey, extension_of, read_key, read_upload_key
from ethereal.storage.local import LocalObjectStore
from ethereal.storage.signing import Signer
from ethereal.storage.store import PEOPLE, ObjectStore

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
KEY = StorageKey("renders/a/output.mp4")


@pytest.fixture
def store(tmp_path: Path) -> ObjectStore:
    return LocalObjectStore(
        tmp_path / "objects", base_url="http://127.0.0.1:1", signer=Signer(b"secret"), clock=lambda: NOON
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(bytes(range(256)) * 9000)
    return path


def test_what_was_put_can_be_fetched_read_and_described(
    store: ObjectStore, file: Path, tmp_path: Path
) -> None:
    facts = store.put(KEY, file)

    assert (facts.size, facts.content_type) == (file.stat().st_size, "video/mp4")
    assert store.stat(KEY) == facts
    assert store.fetch(KEY, tmp_path / "deep" / "copy").read_bytes() == file.read_bytes()
    with store.open(KEY) as stream:
        stream.seek(300)
        assert stream.read(2) == file.read_bytes()[300:302]


def test_what_is_not_there_is_not_found(store: ObjectStore, tmp_path: Path) -> None:
    assert not store.exists(KEY)
    with pytest.raises(NotFoundError):
        store.stat(KEY)
    with pytest.raises(NotFoundError):
        store.fetch(KEY, tmp_path / "copy")
    with pytest.raises(NotFoundError), store.open(KEY):
        pass
    assert not (tmp_path / "copy").exists()
    store.delete(KEY)


def test_a_put_that_is_stopped_leaves_the_old_object_and_nothing_else(
    store: ObjectStore, file: Path, tmp_path: Path
) -> None:
    store.put(KEY, file)
    newer = tmp_path / "newer"
    newer.write_bytes(b"x" * 3_000_000)

    def stop(fraction: float) -> None:
        if fraction > 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.put(KEY, newer, beat=stop)

    assert store.stat(KEY).size == file.stat().st_size
    assert [facts.key for facts in store.list(StorageKey("renders/"))] == [KEY]
    assert [path.name for path in (tmp_path / "objects/renders/a").iterdir()] == ["output.mp4"]


def test_a_folder_is_listed_in_order_and_deleted_whole(store: ObjectStore, file: Path) -> None:
    keys = [StorageKey(f"plans/{name}") for name in ("a/chunks/0.mp4", "a/plan.tar", "ab/plan.tar")]
    for key in keys:
        store.put(key, file)

    assert [facts.key for facts in store.list(StorageKey("plans/"))] == keys
    assert store.delete_prefix(StorageKey("plans/a/")) == 2
    assert [facts.key for facts in store.list(StorageKey("plans/"))] == keys[2:]


@pytest.mark.parametrize(
    "key",
    ["../etc/passwd", "/etc/passwd", "renders/../../x", "renders//x", "renders/a/.hidden", "a", "", "a/b\0c"],
)
def test_a_key_never_leaves_the_store(store: ObjectStore, key: str) -> None:
    with pytest.raises(ForbiddenError):
        store.stat(StorageKey(key))


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


@pytest.mark.parametrize(
    ("name", "extension"),
    [("song.MP3", "mp3"), ("song", "bin"), ("a.b/../c", "bin"), ("x.tar.gz", "gz"), ("evil.p hp", "bin")],
)
def test_only_a_harmless_extension_of_a_name_enters_a_key(name: str, extension: str) -> None:
    assert extension_of(name) == extension


def test_a_client_may_only_name_uploads() -> None:
    key = "uploads/12345678-1234-1234-1234-123456789abc/original.mp3"
    assert read_upload_key(key) == read_key(key) == key
    with pytest.raises(InvalidInputError):
        read_upload_key("renders/x/output.mp4")
