"""The port of the object store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Protocol

from ethereal.beat import Beat, no_beat
from ethereal.storage.keys import StorageKey

#: How long a link lives: for people, for the renderer, for an upload.
PEOPLE = timedelta(days=7)
RENDERER = timedelta(hours=1)
UPLOAD = timedelta(hours=1)
#: How long plans, their chunks and what they are found by are kept: seven days after a job of a day.
PLANS_KEPT = timedelta(days=8)


@dataclass(frozen=True)
class ObjectFacts:
    """What is known of a stored object. `size` in bytes."""

    key: StorageKey
    size: int
    modified_at: datetime
    content_type: str


@dataclass(frozen=True)
class SignedUpload:
    """Where a client may put one object, and the headers it must send."""

    url: str
    key: StorageKey
    expires_at: datetime
    method: str = "PUT"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SignedParts:
    """Where a client may put one object in parts, by their numbers from 1: its part n at `urls[n - 1]`."""

    upload_id: str
    urls: Sequence[str]


class ObjectStore(Protocol):
    """Objects by key. Raises StorageUnavailableError when the store does not answer, nothing half done."""

    def put(
        self, key: StorageKey, source: Path, *, content_type: str | None = None, beat: Beat = no_beat
    ) -> ObjectFacts:
        """Store a file under the key, whole or not at all; an older object is replaced at once."""
        ...

    def fetch(self, key: StorageKey, target: Path, *, beat: Beat = no_beat) -> Path:
        """Copy the object to `target`, whole or not at all. Raise NotFoundError if there is none."""
        ...

    def open(self, key: StorageKey) -> AbstractContextManager[BinaryIO]:
        """Read the object as a seekable stream. Raise NotFoundError if there is none."""
        ...

    def stat(self, key: StorageKey) -> ObjectFacts:
        """Raise NotFoundError if there is no such object."""
        ...

    def exists(self, key: StorageKey) -> bool: ...

    def list(self, prefix: StorageKey) -> Iterator[ObjectFacts]:
        """Objects whose key begins with `prefix`, in the order of their keys."""
        ...

    def delete(self, key: StorageKey) -> None:
        """Safe to repeat."""
        ...

    def delete_prefix(self, prefix: StorageKey) -> int:
        """Delete everything below a folder (`prefix` ends with a slash) and return how many objects went.

        Parts that were not joined go too.
        """
        ...

    def sign_get(self, key: StorageKey, *, lifetime: timedelta, filename: str | None = None) -> str:
        """A link that reads the object; with `filename` a browser saves it under that name."""
        ...

    def sign_put(
        self, key: StorageKey, *, size: int | None, content_type: str, lifetime: timedelta
    ) -> SignedUpload:
        """A link that stores one object of exactly this size and type.

        Without a size it takes any: for our own renderers elsewhere, who know it when they have drawn. Raise
        NotBuiltError where there are no such links.
        """
        ...

    def sign_parts(
        self, key: StorageKey, *, count: int, content_type: str, lifetime: timedelta
    ) -> SignedParts:
        """Links for up to `count` parts of one object, for what may be too large for one piece.

        All parts but the last must have one size, of 5 MiB to 5 GiB. Nothing is there until they are joined.
        Raise NotBuiltError where there are no such links.
        """
        ...

    def join_parts(self, key: StorageKey, upload_id: str, *, count: int) -> None:
        """Make the object of its first `count` parts. Safe to repeat: what was joined stays.

        Raise NotFoundError when a part is not there.
        """
        ...

    def drop_parts(self, key: StorageKey, upload_id: str) -> None:
        """Remove parts that are not to be joined. Safe to repeat."""
        ...
