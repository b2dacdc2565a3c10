"""Large files to and from a bucket, and what becomes of them when the bucket or the network fails."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from ethereal.cloud.links import Patience as LinkPatience
from ethereal.cloud.parts import put_in_parts
from ethereal.dispatch.messages import PartLinks
from ethereal.errors import (
    LeaseLostError,
    MisconfiguredError,
    NotFoundError,
    StorageUnavailableError,
    TooLargeError,
)
from ethereal.storage.keys import StorageKey
from ethereal.storage.r2 import R2ObjectStore
from ethereal.storage.r2_bucket import Patience
from tests.standins.r2 import R2StandIn, open_r2
from tests.waiting import until

KEY = StorageKey("renders/a/output.mp4")
PART = 5 << 20
WHOLE = 2 * PART + 1000
HOUR = timedelta(hours=1)
QUICK = LinkPatience(total=5, first=0.05, answer=5)


@pytest.fixture
def r2() -> Iterator[R2StandIn]:
    with open_r2() as running:
        yield running


@pytest.fixture
def store(r2: R2StandIn) -> R2ObjectStore:
    return R2ObjectStore(r2.bucket(), part_size=PART)


@pytest.fixture
def large(tmp_path: Path) -> Path:
    path = tmp_path / "large"
    path.write_bytes(Random(7).randbytes(WHOLE))
    return path


def test_a_large_file_travels_in_equal_parts_both_ways(
    store: R2ObjectStore, r2: R2StandIn, large: Path, tmp_path: Path
) -> None:
    put: list[float] = []
    assert store.put(KEY, large, beat=put.append).size == WHOLE
    assert r2.seen["PUT"] == 3

    fetched: list[float] = []
    r2.seen.clear()
    assert store.fetch(KEY, tmp_path / "copy", beat=fetched.append).read_bytes() == large.read_bytes()
    assert r2.seen["GET"] == 3
    assert put == sorted(put)
    assert fetched == sorted(fetched)
    assert put[-1] == fetched[-1] == 1.0
    assert len(fetched) >= 3


def test_a_large_put_that_is_stopped_takes_back_its_parts(
    store: R2ObjectStore, r2: R2StandIn, large: Path
) -> None:
    def beat(fraction: float) -> None:
        if fraction > 0.3:
            raise LeaseLostError("another attempt owns it")

    with pytest.raises(LeaseLostError):
        store.put(KEY, large, beat=beat)

    assert r2.unfinished() == []
    assert not store.exists(KEY)


def test_a_put_that_was_cut_off_goes_on_with_the_parts_that_are_there(
    store: R2ObjectStore, r2: R2StandIn, large: Path
) -> None:
    r2.fail("unavailable", times=2, method="PUT", query="partNumber=2")
    with pytest.raises(StorageUnavailableError):
        store.put(KEY, large)
    assert r2.unfinished() == [KEY]
    assert not store.exists(KEY)

    r2.heal()
    r2.seen.clear()
    store.put(KEY, large)
    assert r2.seen["PUT"] == 1, "only the part that was missing"
    assert r2.unfinished() == []
    with store.open(KEY) as stream:
        assert stream.read() == large.read_bytes()


def test_parts_of_other_bytes_are_never_mixed_in(store: R2ObjectStore, r2: R2StandIn, large: Path) -> None:
    r2.fail("unavailable", times=2, method="PUT", query="partNumber=3")
    with pytest.raises(StorageUnavailableError):
        store.put(KEY, large)
    r2.heal()
    other = bytearray(large.read_bytes())
    other[PART + 7] ^= 1  # the same length, another bit
    large.write_bytes(other)

    store.put(KEY, large)
    with store.open(KEY) as stream:
        assert stream.read() == other


def test_a_process_that_is_killed_leaves_parts_that_another_goes_on_with(
    store: R2ObjectStore, r2: R2StandIn, large: Path
) -> None:
    script = (
        "import sys; from pathlib import Path; from ethereal.storage.r2 import *\n"
        "store = R2ObjectStore(R2Bucket(sys.argv[1], sys.argv[2], 'standin-key', 'standin-secret'),"
        f" part_size={PART})\n"
        f"store.put({KEY!r}, Path(sys.argv[3]))"
    )
    r2.fail("hang", method="PUT", query="partNumber=3")
    child = subprocess.Popen([sys.executable, "-c", script, r2.endpoint, r2.bucket_name, str(large)])
    until(lambda: len(r2.parts()) == 2 or child.poll() is not None)
    assert child.poll() is None
    child.kill()
    child.wait()

    r2.seen.clear()
    store.put(KEY, large)
    assert r2.seen["PUT"] == 1
    assert r2.unfinished() == []


def test_a_put_whose_last_answer_was_lost_was_still_done(
    store: R2ObjectStore, r2: R2StandIn, large: Path
) -> None:
    r2.fail("lost", method="POST", query="uploadId=")
    assert store.put(KEY, large).size == WHOLE
    assert r2.unfinished() == []


def test_a_fetch_goes_on_where_it_was_cut(
    store: R2ObjectStore, r2: R2StandIn, large: Path, tmp_path: Path
) -> None:
    store.put(KEY, large)
    r2.fail("cut", times=4, method="GET")

    assert store.fetch(KEY, tmp_path / "copy").read_bytes() == large.read_bytes()
    r2.fail("cut", times=2, method="GET")
    with store.open(KEY) as stream:
        assert stream.read() == large.read_bytes()


def test_an_object_that_is_replaced_while_it_is_read_is_not_mixed_up(
    store: R2ObjectStore, large: Path, tmp_path: Path
) -> None:
    store.put(KEY, large)
    with store.open(KEY) as stream:
        stream.read(10)
        (tmp_path / "newer").write_bytes(b"x" * WHOLE)
        store.put(KEY, tmp_path / "newer")
        with pytest.raises(StorageUnavailableError):
            stream.read()


@pytest.mark.parametrize("fault", ["unavailable", "cut", "lost"])
def test_a_short_fault_is_outlasted(store: R2ObjectStore, r2: R2StandIn, large: Path, fault: str) -> None:
    small = large.with_name("small")
    small.write_bytes(b"12345")
    r2.fail(fault, method="PUT")
    assert store.put(KEY, small).size == 5
    r2.fail(fault, method="HEAD")
    assert store.exists(KEY)


def test_a_store_that_does_not_answer_is_unavailable_and_the_beat_goes_on(r2: R2StandIn, large: Path) -> None:
    store = R2ObjectStore(r2.bucket(patience=Patience(connect_seconds=1, read_seconds=1, attempts=1)))
    small, told = large.with_name("small"), []
    small.write_bytes(b"12345")
    r2.fail("hang", times=9)

    for move in (
        lambda: store.put(KEY, small, beat=told.append),
        lambda: store.exists(KEY),
        lambda: list(store.list(StorageKey("renders/"))),
    ):
        with pytest.raises(StorageUnavailableError):
            move()
    assert len(told) >= 3


def test_a_store_that_is_gone_is_unavailable(large: Path) -> None:
    with open_r2() as r2:
        store = R2ObjectStore(r2.bucket())
    with pytest.raises(StorageUnavailableError):
        store.put(KEY, large)


@pytest.mark.parametrize(
    "changed", [{"secret_access_key": "wrong"}, {"access_key_id": "nobody"}, {"name": "no-such-bucket"}]
)
def test_wrong_settings_are_told_apart_from_a_store_that_is_away(
    r2: R2StandIn, large: Path, changed: dict[str, str]
) -> None:
    store = R2ObjectStore(r2.bucket(**changed))
    with pytest.raises(MisconfiguredError, match="ETHEREAL_R2"):
        store.put(KEY, large)
    with pytest.raises(MisconfiguredError):
        list(store.list(StorageKey("renders/")))


def part_links(store: R2ObjectStore, count: int) -> PartLinks:
    signed = store.sign_parts(KEY, count=count, content_type="video/mp4", lifetime=HOUR)
    return PartLinks(upload_id=signed.upload_id, size=PART, urls=tuple(signed.urls))


def test_a_large_file_travels_through_links_in_parts_and_what_breaks_off_costs_one(
    store: R2ObjectStore, r2: R2StandIn, large: Path
) -> None:
    links = part_links(store, count=4)
    r2.fail("cut", times=1, method="PUT", query="partNumber=2")
    r2.fail("unavailable", times=1, method="PUT", query="partNumber=3")
    r2.seen.clear()

    told: list[float] = []
    assert put_in_parts(links, large, patience=QUICK, beat=told.append) == 3
    assert r2.seen["PUT"] == 5
    assert told[-1] == 1.0
    assert not store.exists(KEY)

    for _ in range(2):
        store.join_parts(KEY, links.upload_id, count=3)
    with store.open(KEY) as stream:
        assert stream.read() == large.read_bytes()
    assert store.stat(KEY).content_type == "video/mp4"
    assert r2.unfinished() == []


def test_parts_that_are_not_there_are_not_joined(store: R2ObjectStore, r2: R2StandIn, large: Path) -> None:
    links = part_links(store, count=2)
    with pytest.raises(TooLargeError):
        put_in_parts(links, large, patience=QUICK)
    assert r2.parts() == []

    put_in_parts(links.model_copy(update={"size": WHOLE}), large, patience=QUICK)
    with pytest.raises(NotFoundError, match="1 of 2 parts"):
        store.join_parts(KEY, links.upload_id, count=2)
    for _ in range(2):
        store.drop_parts(KEY, links.upload_id)
    assert r2.unfinished() == []
    with pytest.raises(NotFoundError):
        put_in_parts(links.model_copy(update={"size": WHOLE}), large, patience=QUICK)


def test_a_link_to_a_part_takes_that_part_alone(store: R2ObjectStore, large: Path) -> None:
    links = part_links(store, count=1)
    for changed in (
        links.urls[0].replace("partNumber=1", "partNumber=2"),
        links.urls[0].replace("output.mp4", "other.mp4"),
    ):
        forged = links.model_copy(update={"size": WHOLE, "urls": (changed,)})
        with pytest.raises(StorageUnavailableError, match="403"):
            put_in_parts(forged, large, patience=LinkPatience(total=0, answer=5))


def test_what_is_deleted_with_its_folder_takes_unfinished_parts_along(
    store: R2ObjectStore, r2: R2StandIn
) -> None:
    part_links(store, count=1)
    store.delete_prefix(StorageKey("renders/b/"))
    assert r2.unfinished() == [KEY]
    store.delete_prefix(StorageKey("renders/a/"))
    assert r2.unfinished() == []
