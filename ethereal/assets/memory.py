"""The asset store in this process's memory, for tests."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from ethereal.assets.model import Asset, AssetId, AssetObject, Prepared
from ethereal.assets.store import AssetPage
from ethereal.errors import ConflictError, NotFoundError, QuotaExceededError
from ethereal.storage.keys import StorageKey


@dataclass(frozen=True)
class _Noted:
    asset_id: AssetId
    kept: AssetObject
    created_at: datetime


class MemoryAssetStore:
    """Keeps every promise of `AssetStore` within one process."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._assets: dict[AssetId, Asset] = {}
        self._objects: dict[StorageKey, _Noted] = {}
        self._bytes = self._sequence = 0

    def add(self, asset: Asset, objects: Sequence[AssetObject], *, quota: int) -> Asset:
        with self._lock:
            if known := self.with_bytes(asset.sha256):
                return known
            self._ensure_room(objects, quota)
            self._sequence += 1
            self._assets[asset.id] = replace(asset, sequence=self._sequence)
            self.note(asset.id, objects, quota=quota, now=asset.created_at)
            return self._assets[asset.id]

    def get(self, asset_id: AssetId) -> Asset:
        with self._lock:
            if asset_id not in self._assets:
                raise NotFoundError(f"no asset {asset_id}")
            return self._assets[asset_id]

    def with_bytes(self, sha256: str) -> Asset | None:
        with self._lock:
            return next((asset for asset in self._assets.values() if asset.sha256 == sha256), None)

    def list(self, *, limit: int = 50, cursor: int | None = None) -> AssetPage:
        with self._lock:
            assets = [
                asset
                for asset in sorted(self._assets.values(), key=lambda asset: -asset.sequence)
                if cursor is None or asset.sequence < cursor
            ]
        return AssetPage(assets[:limit], assets[limit - 1].sequence if len(assets) > limit else None)

    def known(self, ids: Collection[AssetId]) -> frozenset[AssetId]:
        with self._lock:
            return frozenset(self._assets) & frozenset(ids)

    def bytes_used(self) -> int:
        return self._bytes

    def touch(self, ids: Collection[AssetId], *, now: datetime) -> Mapping[AssetId, Asset]:
        with self._lock:
            for asset_id in self.known(ids):
                asset = self._assets[asset_id]
                self._assets[asset_id] = replace(asset, used_at=max(asset.used_at, now))
            return {asset_id: self._assets[asset_id] for asset_id in self.known(ids)}

    def note(self, asset_id: AssetId, objects: Sequence[AssetObject], *, quota: int, now: datetime) -> None:
        with self._lock:
            self.get(asset_id)
            self._ensure_room(objects, quota)
            self.drop([kept.key for kept in objects])
            for kept in objects:
                self._objects[kept.key] = _Noted(asset_id, kept, now)
                self._bytes += kept.size

    def drop(self, keys: Collection[StorageKey]) -> None:
        with self._lock:
            for key in keys:
                if noted := self._objects.pop(key, None):
                    self._bytes -= noted.kept.size

    def prepare(self, asset_id: AssetId, prepared: Prepared, *, now: datetime) -> None:
        with self._lock:
            self._assets[asset_id] = replace(self.get(asset_id), prepared=prepared, updated_at=now)

    def users(self, asset_id: AssetId) -> Sequence[AssetId]:
        with self._lock:
            return sorted(
                other.id
                for other in self._assets.values()
                if other.id != asset_id and other.prepared and asset_id in other.prepared.recipe.sources
            )

    def delete(self, asset_id: AssetId, *, force: bool = False) -> None:
        with self._lock:
            self.get(asset_id)
            if self.users(asset_id) and not force:
                raise ConflictError(f"asset {asset_id} is used by the recipe of another one")
            del self._assets[asset_id]
            self.drop([key for key, noted in self._objects.items() if noted.asset_id == asset_id])

    def unused(self, *, before: datetime, limit: int = 100) -> Sequence[AssetId]:
        with self._lock:
            oldest = sorted(self._assets.values(), key=lambda asset: asset.used_at)
            return [a.id for a in oldest if a.used_at < before and not self.users(a.id)][:limit]

    def cached(self, *, before: datetime, limit: int = 500) -> Sequence[StorageKey]:
        with self._lock:
            made = sorted(self._objects.values(), key=lambda noted: noted.created_at)
            return [n.kept.key for n in made if n.kept.cached and n.created_at < before][:limit]

    def _ensure_room(self, objects: Sequence[AssetObject], quota: int) -> None:
        before = sum(self._objects[o.key].kept.size for o in objects if o.key in self._objects)
        if self._bytes - before + sum(kept.size for kept in objects) > quota:
            raise QuotaExceededError("there is no room left for this sound")
