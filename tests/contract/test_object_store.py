"""What every object store promises, held against each adapter."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ethereal.errors import ForbiddenError, LeaseLostError, NotFoundError
from ethereal.storage.keys import StorageKey
from ethereal.storage.local import LocalObjectStore
from ethereal.storage.r2 import R2ObjectStore
from ethereal.storage.signing import Signer
from ethereal.storage.store import ObjectStore
from tests.standins.r2 import open_r2

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
KEY = StorageKey("renders/a/output.mp4")
EVERYTHING = StorageKey("renders/")


@pytest.fixture(params=["local", "r2"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ObjectStore]:
    if request.param == "r2":
        with open_r2() as r2:
            yield R2ObjectStore(r2.bucket())
            assert r2.unfinished() == []
        return
    objects = tmp_path / "objects"
    yield LocalObjectStore(
        objects, base_url="http://127.0.0.1:1", signer=Signer(b"secret"), clock=lambda: NOON
    )
    assert list(objects.rglob(".*")) == [], "something half-written was left"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(bytes(range(256)) * 9000)
    return path


def stop_at(limit: float, error: BaseException) -> Callable[[float], None]:
    def beat(fraction: float) -> None:
        if fraction > limit:
            raise error

    return beat


def test_what_was_put_can_be_fetched_and_described(store: ObjectStore, file: Path, tmp_path: Path) -> None:
    told: list[float] = []
    facts = store.put(KEY, file, beat=told.append)

    assert (facts.size, facts.content_type) == (file.stat().st_size, "video/mp4")
    assert abs(facts.modified_at - datetime.now(UTC)) < timedelta(minutes=1)
    assert store.stat(KEY) == facts
    assert store.exists(KEY)
    assert store.fetch(KEY, tmp_path / "deep" / "copy", beat=told.append).read_bytes() == file.read_bytes()
    assert told.count(1.0) >= 2
    assert all(0 <= fraction <= 1 for fraction in told)


def test_an_object_is_read_anywhere_without_fetching_it(store: ObjectStore, file: Path) -> None:
    store.put(KEY, file)
    data = file.read_bytes()

    with store.open(KEY) as stream:
        assert stream.read() == data
        assert stream.read(1) == b""
        stream.seek(300)
        assert stream.read(2) == data[300:302]
        stream.seek(-5, 2)
        assert stream.read(10) == data[-5:]
        assert stream.tell() == len(data)


def test_an_empty_object_is_an_object(store: ObjectStore, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert store.put(KEY, tmp_path / "empty").size == 0
    assert store.fetch(KEY, tmp_path / "copy").read_bytes() == b""
    with store.open(KEY) as stream:
        assert stream.read() == b""


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


@pytest.mark.parametrize("error", [KeyboardInterrupt(), LeaseLostError("another attempt owns it")])
def test_a_put_that_is_stopped_leaves_the_old_object_and_nothing_else(
    store: ObjectStore, file: Path, tmp_path: Path, error: BaseException
) -> None:
    store.put(KEY, file)
    newer = tmp_path / "newer"
    newer.write_bytes(b"x" * 3_000_000)

    with pytest.raises(type(error)):
        store.put(KEY, newer, beat=stop_at(0.5, error))

    assert store.stat(KEY).size == file.stat().st_size
    assert [facts.key for facts in store.list(EVERYTHING)] == [KEY]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), LeaseLostError("another attempt owns it")])
def test_a_fetch_that_is_stopped_leaves_nothing(
    store: ObjectStore, file: Path, tmp_path: Path, error: BaseException
) -> None:
    store.put(KEY, file)
    with pytest.raises(type(error)):
        store.fetch(KEY, tmp_path / "there" / "copy", beat=stop_at(0.3, error))

    assert list((tmp_path / "there").iterdir()) == []


def test_a_folder_is_listed_in_order_and_deleted_whole(store: ObjectStore, file: Path) -> None:
    keys = [StorageKey(f"plans/{name}") for name in ("a/chunks/0.mp4", "a/plan.tar", "ab/plan.tar")]
    for key in keys:
        store.put(key, file)

    listed = list(store.list(StorageKey("plans/")))
    assert [facts.key for facts in listed] == keys
    assert listed[0].size == file.stat().st_size
    assert store.delete_prefix(StorageKey("plans/a/")) == 2
    assert [facts.key for facts in store.list(StorageKey("plans/"))] == keys[2:]
    assert store.delete_prefix(StorageKey("plans/a/")) == 0


@pytest.mark.parametrize(
    "key",
    ["../etc/passwd", "/etc/passwd", "renders/../../x", "renders//x", "renders/a/.hidden", "a", "", "a/b\0c"],
)
def test_a_key_never_leaves_the_store(store: ObjectStore, file: Path, key: str) -> None:
    bad = StorageKey(key)
    for move in (
        lambda: store.stat(bad),
        lambda: store.exists(bad),
        lambda: store.put(bad, file),
        lambda: store.delete(bad),
        lambda: store.sign_get(bad, lifetime=timedelta(hours=1)),
        lambda: store.sign_put(bad, size=1, content_type="audio/flac", lifetime=timedelta(hours=1)),
    ):
        with pytest.raises(ForbiddenError):
            move()
