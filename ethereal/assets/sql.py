"""The asset store on libSQL, in the database of the jobs."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from ethereal.assets import statements as sql
from ethereal.assets.model import Asset, AssetId, AssetObject, Prepared, Provenance, SoundFacts
from ethereal.assets.store import AssetPage
from ethereal.errors import ConflictError, NotFoundError, QuotaExceededError
from ethereal.jobs.database import Arguments, Database, rows_of
from ethereal.jobs.rows import at_ms, to_ms
from ethereal.storage.keys import StorageKey

_NAME = re.compile(r":([a-z0-9_]+)")


class SqlAssetStore:
    """Keeps the promises of `AssetStore` among any number of processes. The database is closed elsewhere."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, asset: Asset, objects: Sequence[AssetObject], *, quota: int) -> Asset:
        arguments: Arguments = {
            "asset": asset.id,
            "sha256": asset.sha256,
            "original": asset.original,
            "filename": asset.filename,
            "audio": asset.audio.model_dump_json(),
            "provenance": asset.provenance.model_dump_json(),
            "objects": _as_json(objects),
            "quota": quota,
            "now": to_ms(asset.created_at),
        }
        *_, found = self._repeat([sql.ADD, sql.NOTE, sql.COUNT, sql.COUNTED, sql.BY_BYTES], arguments)
        if not found.rows:
            raise QuotaExceededError("there is no room left for another asset")
        return _asset(rows_of(found)[0])

    def get(self, asset_id: AssetId) -> Asset:
        rows = self._rows(sql.BY_ID, {"asset": asset_id})
        if not rows:
            raise _gone(asset_id)
        return _asset(rows[0])

    def with_bytes(self, sha256: str) -> Asset | None:
        rows = self._rows(sql.BY_BYTES, {"sha256": sha256})
        return _asset(rows[0]) if rows else None

    def list(self, *, limit: int = 50, cursor: int | None = None) -> AssetPage:
        assets = [_asset(row) for row in self._rows(sql.LIST, {"cursor": cursor, "limit": limit + 1})]
        return AssetPage(assets[:limit], assets[limit - 1].sequence if len(assets) > limit else None)

    def known(self, ids: Collection[AssetId]) -> frozenset[AssetId]:
        rows = self._rows(sql.KNOWN, {"ids": json.dumps(sorted(ids))})
        return frozenset(AssetId(row["id"]) for row in rows)

    def bytes_used(self) -> int:
        return int(self._rows(sql.TOTAL, {})[0]["bytes"])

    def touch(self, ids: Collection[AssetId], *, now: datetime) -> Mapping[AssetId, Asset]:
        arguments: Arguments = {"ids": json.dumps(sorted(ids)), "now": to_ms(now)}
        *_, found = self._repeat([sql.TOUCH, sql.BY_IDS], arguments)
        return {asset.id: asset for asset in map(_asset, rows_of(found))}

    def note(self, asset_id: AssetId, objects: Sequence[AssetObject], *, quota: int, now: datetime) -> None:
        arguments: Arguments = {
            "asset": asset_id,
            "objects": _as_json(objects),
            "quota": quota,
            "now": to_ms(now),
        }
        moves = [sql.NOTE, sql.COUNT, sql.COUNTED, sql.NOTED, sql.BY_ID]
        *_, noted, found = self._repeat(moves, arguments)
        if not found.rows:
            raise _gone(asset_id)
        if rows_of(noted)[0]["missing"]:
            raise QuotaExceededError("there is no room left for this sound")

    def drop(self, keys: Collection[StorageKey]) -> None:
        self._repeat([sql.UNCOUNT, sql.DROP], {"keys": json.dumps(sorted(keys))})

    def prepare(self, asset_id: AssetId, prepared: Prepared, *, now: datetime) -> None:
        arguments: Arguments = {
            "asset": asset_id,
            "prepared": prepared.model_dump_json(),
            "sources": json.dumps(sorted(prepared.recipe.sources)),
            "now": to_ms(now),
        }
        *_, changed = self._repeat([sql.FORGET_SOURCES, sql.ADD_SOURCES, sql.PREPARE], arguments)
        if not changed.rows:
            raise _gone(asset_id)

    def users(self, asset_id: AssetId) -> Sequence[AssetId]:
        return [AssetId(row["asset_id"]) for row in self._rows(sql.USERS, {"asset": asset_id})]

    def delete(self, asset_id: AssetId, *, force: bool = False) -> None:
        moves = [sql.DELETE_COUNT, sql.DELETE_OBJECTS, sql.DELETE_SOURCES, sql.DELETE_ASSET]
        arguments: Arguments = {"asset": asset_id, "force": int(force)}
        *_, deleted = self._database.batch([(move, _used(move, arguments)) for move in moves])
        if not deleted.rows:
            self.get(asset_id)
            raise ConflictError(f"asset {asset_id} is used by the recipe of another one")

    def unused(self, *, before: datetime, limit: int = 100) -> Sequence[AssetId]:
        rows = self._rows(sql.UNUSED, {"before": to_ms(before), "limit": limit})
        return [AssetId(row["id"]) for row in rows]

    def cached(self, *, before: datetime, limit: int = 500) -> Sequence[StorageKey]:
        rows = self._rows(sql.CACHED, {"before": to_ms(before), "limit": limit})
        return [StorageKey(row["key"]) for row in rows]

    def _rows(self, statement: str, arguments: Arguments) -> Sequence[dict[str, Any]]:
        return rows_of(self._database.query(statement, arguments))

    def _repeat(self, moves: Sequence[str], arguments: Arguments) -> Sequence[Any]:
        return self._database.repeat([(move, _used(move, arguments)) for move in moves])[0]


def _used(statement: str, arguments: Arguments) -> Arguments:
    """Only the arguments a statement names: a server refuses the others."""
    return {name: arguments[name] for name in set(_NAME.findall(statement))}


def _as_json(objects: Sequence[AssetObject]) -> str:
    return json.dumps([[kept.key, kept.size, int(kept.cached)] for kept in objects])


def _asset(row: Mapping[str, Any]) -> Asset:
    return Asset(
        id=AssetId(row["id"]),
        sha256=row["sha256"],
        original=StorageKey(row["original"]),
        filename=row["filename"],
        audio=SoundFacts.model_validate_json(row["audio"]),
        provenance=Provenance.model_validate_json(row["provenance"]),
        prepared=Prepared.model_validate_json(row["prepared"]) if row["prepared"] else None,
        created_at=at_ms(row["created_at"]),
        updated_at=at_ms(row["updated_at"]),
        used_at=at_ms(row["used_at"]),
        sequence=row["sequence"],
    )


def _gone(asset_id: AssetId) -> NotFoundError:
    return NotFoundError(f"no asset {asset_id}")
