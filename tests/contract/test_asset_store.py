"""What every asset store promises, held against each adapter."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import pytest

from ethereal.assets.memory import MemoryAssetStore
from ethereal.assets.model import (
    Asset,
    AssetId,
    AssetObject,
    HeardLoudness,
    Prepared,
    Provenance,
    SoundFacts,
)
from ethereal.assets.sql import SqlAssetStore
from ethereal.assets.store import AssetStore
from ethereal.errors import ConflictError, NotFoundError, QuotaExceededError
from ethereal.jobs.file_database import open_file_database
from ethereal.jobs.migrate import migrate
from ethereal.jobs.remote_database import open_remote_database
from ethereal.jobs.request import Clip, EditRecipe, SourceType
from ethereal.storage.keys import StorageKey
from tests.standins.hrana import open_hrana

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
ROOM = 1000


@pytest.fixture(params=["memory", "file", "remote"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AssetStore]:
    if request.param == "memory":
        yield MemoryAssetStore()
    elif request.param == "file":
        with closing(open_file_database(tmp_path / "jobs.db")) as database:
            migrate(database)
            yield SqlAssetStore(database)
    else:
        with (
            open_hrana(tmp_path / "jobs.db", token="token") as server,
            closing(open_remote_database(server.url, "token")) as database,
        ):
            migrate(database)
            yield SqlAssetStore(database)


def new_asset(sound: str = "song", now: datetime = NOON) -> Asset:
    asset_id = AssetId(str(uuid4()))
    return Asset(
        id=asset_id,
        sha256=sha256(sound.encode()).hexdigest(),
        original=StorageKey(f"assets/{asset_id}/original.mp3"),
        filename=f"{sound}.mp3",
        audio=SoundFacts(duration=12.5, sample_rate=44100, channels=2, codec="mp3", format="mp3"),
        provenance=Provenance(
            source_type=SourceType.YOUTUBE,
            source_video_id="jNQXAC9IVRw",
            rights_attested_at=now,
            ingest_tool_versions={"yt-dlp": "1"},
        ),
        created_at=now,
        updated_at=now,
        used_at=now,
    )


def objects_of(asset: Asset, size: int = 100) -> list[AssetObject]:
    return [AssetObject(asset.original, size), AssetObject(StorageKey(f"assets/{asset.id}/peaks.json"), 10)]


def add(store: AssetStore, sound: str = "song", now: datetime = NOON) -> Asset:
    asset = new_asset(sound, now)
    return store.add(asset, objects_of(asset), quota=ROOM)


def cut_of(asset: Asset, *sources: Asset) -> Prepared:
    clips = [Clip(id=s.id, source_asset_id=s.id, start_time=0.0, end_time=1.0) for s in sources or (asset,)]
    return Prepared(
        key=f"assets/{asset.id}/prepared.wav",
        sha256="ab" * 32,
        size_bytes=50,
        duration=1.0,
        loudness=HeardLoudness(lufs=-14.0, true_peak=-1.2, gain=2.0, limited=False),
        recipe=EditRecipe(version=1, asset_id=asset.id, clips=tuple(clips)),
    )


def test_an_asset_comes_back_as_it_was_given(store: AssetStore) -> None:
    asset = new_asset()
    stored = store.add(asset, objects_of(asset), quota=ROOM)

    assert replace(stored, sequence=0) == asset
    assert store.get(asset.id) == store.with_bytes(asset.sha256) == stored
    assert store.with_bytes("of nothing") is None
    assert store.known([asset.id, AssetId("other")]) == {asset.id}
    assert store.bytes_used() == 110


def test_the_same_bytes_are_one_asset_and_counted_once(store: AssetStore) -> None:
    first, second = add(store), new_asset()

    assert store.add(second, objects_of(second), quota=0) == first
    assert store.bytes_used() == 110
    with pytest.raises(NotFoundError):
        store.get(second.id)


def test_nothing_is_added_over_the_quota(store: AssetStore) -> None:
    first, second = add(store), new_asset("other")
    with pytest.raises(QuotaExceededError):
        store.add(second, objects_of(second), quota=219)
    assert store.known([second.id]) == frozenset()
    preview = AssetObject(StorageKey(f"assets/{first.id}/preview_1.mp3"), 90, cached=True)
    with pytest.raises(QuotaExceededError):
        store.note(first.id, [preview], quota=199, now=NOON)
    assert store.bytes_used() == 110

    store.add(second, objects_of(second), quota=220)
    assert store.bytes_used() == 220


def test_an_object_that_is_replaced_counts_with_its_new_size(store: AssetStore) -> None:
    asset = add(store)
    key = StorageKey(f"assets/{asset.id}/prepared.wav")
    for size, quota in ((500, 610), (700, 810), (20, 130)):
        store.note(asset.id, [AssetObject(key, size)], quota=quota, now=NOON)
        assert store.bytes_used() == 110 + size
    for _ in range(2):
        store.drop([key])
        assert store.bytes_used() == 110
    with pytest.raises(NotFoundError):
        store.note(AssetId("gone"), [AssetObject(key, 1)], quota=ROOM, now=NOON)


def test_the_list_is_newest_first_and_paged(store: AssetStore) -> None:
    assets = [add(store, name) for name in "abc"]
    first = store.list(limit=2)
    rest = store.list(cursor=first.cursor)

    assert [asset.id for asset in [*first.assets, *rest.assets]] == [asset.id for asset in reversed(assets)]
    assert rest.cursor is None


def test_a_source_of_another_recipe_stays_unless_forced(store: AssetStore) -> None:
    mix, voice, other = add(store, "mix"), add(store, "voice"), add(store, "other")
    store.prepare(mix.id, cut_of(mix, mix, voice), now=NOON)

    assert store.get(mix.id).prepared == cut_of(mix, mix, voice)
    assert store.get(mix.id).sound == cut_of(mix).key
    assert (store.users(voice.id), store.users(mix.id)) == ([mix.id], [])
    with pytest.raises(ConflictError):
        store.delete(voice.id)
    store.delete(other.id)
    store.delete(voice.id, force=True)
    assert store.bytes_used() == 110
    with pytest.raises(NotFoundError):
        store.delete(voice.id)


def test_a_recipe_that_is_replaced_lets_its_sources_go(store: AssetStore) -> None:
    mix, voice = add(store, "mix"), add(store, "voice")
    store.prepare(mix.id, cut_of(mix, voice), now=NOON)
    store.prepare(mix.id, cut_of(mix), now=NOON + DAY)

    assert store.get(mix.id).updated_at == NOON + DAY
    store.delete(voice.id)
    with pytest.raises(NotFoundError):
        store.prepare(voice.id, cut_of(voice), now=NOON)


def test_what_is_deleted_with_its_user_was_used_by_nobody_else(store: AssetStore) -> None:
    mix, voice = add(store, "mix"), add(store, "voice")
    store.prepare(mix.id, cut_of(mix, voice), now=NOON)
    store.delete(mix.id)

    assert store.users(voice.id) == []
    store.delete(voice.id)
    assert store.bytes_used() == 0


def test_what_nobody_asked_for_is_unused(store: AssetStore) -> None:
    mix, voice, old = add(store, "mix"), add(store, "voice"), add(store, "old")
    store.prepare(mix.id, cut_of(mix, voice), now=NOON)
    assert store.touch([mix.id, AssetId(str(uuid4()))], now=NOON + 2 * DAY) == {mix.id: store.get(mix.id)}
    store.touch([mix.id], now=NOON)

    assert store.unused(before=NOON) == []
    assert store.unused(before=NOON + DAY) == [old.id]
    assert store.unused(before=NOON + 3 * DAY) == [old.id, mix.id]


def test_cached_objects_are_told_by_their_age(store: AssetStore) -> None:
    asset = add(store)
    keys = [StorageKey(f"assets/{asset.id}/preview_{number}.mp3") for number in range(2)]
    for key, now in zip(keys, (NOON, NOON + DAY), strict=True):
        store.note(asset.id, [AssetObject(key, 5, cached=True)], quota=ROOM, now=now)

    assert store.cached(before=NOON + DAY) == keys[:1]
    store.note(asset.id, [AssetObject(keys[0], 5, cached=True)], quota=ROOM, now=NOON + 2 * DAY)
    assert store.cached(before=NOON + 2 * DAY) == keys[1:]
