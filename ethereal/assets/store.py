"""The port of the asset store: every method one atomic move."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ethereal.assets.model import Asset, AssetId, AssetObject, Prepared
from ethereal.storage.keys import StorageKey


@dataclass(frozen=True)
class AssetPage:
    """Assets newest first, and the cursor that continues after them."""

    assets: Sequence[Asset]
    cursor: int | None


class AssetStore(Protocol):
    """Durable facts of assets. Raises StoreUnavailableError when the store does not answer.

    `quota` is how many bytes the objects of all assets may take; over it nothing is added and
    QuotaExceededError is raised.
    """

    def add(self, asset: Asset, objects: Sequence[AssetObject], *, quota: int) -> Asset:
        """Store an asset with its objects and return it, or the asset that has the same bytes already."""
        ...

    def get(self, asset_id: AssetId) -> Asset:
        """Raise NotFoundError if there is no such asset."""
        ...

    def with_bytes(self, sha256: str) -> Asset | None:
        """The asset made of these bytes, if there is one."""
        ...

    def list(self, *, limit: int = 50, cursor: int | None = None) -> AssetPage: ...

    def known(self, ids: Collection[AssetId]) -> frozenset[AssetId]:
        """Those that there are."""
        ...

    def bytes_used(self) -> int:
        """What the objects of all assets take, known without counting them."""
        ...

    def touch(self, ids: Collection[AssetId], *, now: datetime) -> Mapping[AssetId, Asset]:
        """Note that these assets are in use: they are kept longer. Return those that there are."""
        ...

    def note(self, asset_id: AssetId, objects: Sequence[AssetObject], *, quota: int, now: datetime) -> None:
        """Note objects that belong to the asset, in place of those of the same keys.

        Raise NotFoundError when the asset is gone.
        """
        ...

    def drop(self, keys: Collection[StorageKey]) -> None:
        """Forget objects that are removed. Safe to repeat."""
        ...

    def prepare(self, asset_id: AssetId, prepared: Prepared, *, now: datetime) -> None:
        """Let this be the asset's prepared sound. Raise NotFoundError when the asset is gone."""
        ...

    def users(self, asset_id: AssetId) -> Sequence[AssetId]:
        """Other assets whose recipe takes sound from this one."""
        ...

    def delete(self, asset_id: AssetId, *, force: bool = False) -> None:
        """Forget the asset and its objects. Raise ConflictError while another one uses it, unless forced."""
        ...

    def unused(self, *, before: datetime, limit: int = 100) -> Sequence[AssetId]:
        """Assets that no recipe uses and that were last asked for `before` then."""
        ...

    def cached(self, *, before: datetime, limit: int = 500) -> Sequence[StorageKey]:
        """Cached objects that were made `before` then."""
        ...
