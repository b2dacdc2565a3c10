"""The object store in a folder of this machine; the web app serves its links."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from ethereal.beat import Beat, no_beat
from ethereal.errors import (
    ForbiddenError,
    NotBuiltError,
    NotFoundError,
    OutOfDiskError,
    StorageUnavailableError,
)
from ethereal.scratch import open_scratch, sweep_scratch
from ethereal.storage.content_types import content_type_of
from ethereal.storage.keys import StorageKey, read_key
from ethereal.storage.signing import Permit, Signer, expiry
from ethereal.storage.store import ObjectFacts, SignedParts, SignedUpload

_BLOCK = 1 << 20
#: Temporary names begin with a dot, which no key may: they are never listed or served.
_PARTIAL, _SCRATCH = ".partial", "put"
_NEED_A_BUCKET = "renderers elsewhere need a bucket: set ETHEREAL_STORAGE=r2"


class LocalObjectStore:
    """Keeps objects as files under `root`. Links point at `base_url` and are signed by `signer`."""

    def __init__(self, root: Path, *, base_url: str, signer: Signer, clock: Callable[[], datetime]) -> None:
        self._root = root
        self._base_url = base_url.rstrip("/")
        self._signer = signer
        self._clock = clock

    def put(
        self, key: StorageKey, source: Path, *, content_type: str | None = None, beat: Beat = no_beat
    ) -> ObjectFacts:
        with source.open("rb") as stream:
            return self.put_stream(key, stream, size=source.stat().st_size, beat=beat)

    def put_stream(
        self, key: StorageKey, stream: BinaryIO, *, size: int | None = None, beat: Beat = no_beat
    ) -> ObjectFacts:
        """Store what the stream gives; when it raises, nothing is left behind."""
        target = self._path(key)
        sweep_scratch(self._root, _SCRATCH)
        with _translated(), open_scratch(self._root, _SCRATCH) as scratch:
            with (scratch / _PARTIAL).open("xb") as file:
                _copy(stream, file, size or 0, beat)
                file.flush()
                os.fsync(file.fileno())
            beat(1.0)  # who has lost the lease meanwhile puts nothing
            target.parent.mkdir(parents=True, exist_ok=True)
            (scratch / _PARTIAL).replace(target)
        return self.stat(key)

    def fetch(self, key: StorageKey, target: Path, *, beat: Beat = no_beat) -> Path:
        size = self.stat(key).size
        with self.open(key) as stream, _translated(), open_scratch(target.parent, target.name) as scratch:
            with (scratch / _PARTIAL).open("xb") as file:
                _copy(stream, file, size, beat)
            (scratch / _PARTIAL).replace(target)
        return target

    @contextmanager
    def open(self, key: StorageKey) -> Iterator[BinaryIO]:
        try:
            stream = self._path(key).open("rb")
        except (FileNotFoundError, IsADirectoryError) as error:
            raise NotFoundError(f"no object {key}") from error
        with stream:
            yield stream

    def stat(self, key: StorageKey) -> ObjectFacts:
        path = self._path(key)
        try:
            found = path.stat()
        except (FileNotFoundError, NotADirectoryError) as error:
            raise NotFoundError(f"no object {key}") from error
        if not path.is_file():
            raise NotFoundError(f"no object {key}")
        modified = datetime.fromtimestamp(found.st_mtime, UTC)
        return ObjectFacts(key, found.st_size, modified, content_type_of(key))

    def exists(self, key: StorageKey) -> bool:
        return self._path(key).is_file()

    def list(self, prefix: StorageKey) -> Iterator[ObjectFacts]:
        folder = self._root / prefix.rpartition("/")[0]
        for path in sorted(folder.rglob("*")):
            key = path.relative_to(self._root).as_posix()
            if key.startswith(prefix) and path.is_file() and not path.name.startswith("."):
                try:
                    facts = self.stat(StorageKey(key))
                except NotFoundError:  # deleted meanwhile
                    continue
                yield facts

    def delete(self, key: StorageKey) -> None:
        self._path(key).unlink(missing_ok=True)

    def delete_prefix(self, prefix: StorageKey) -> int:
        folder = self._path(StorageKey(prefix.rstrip("/")))
        count = sum(1 for _ in self.list(prefix))
        shutil.rmtree(folder, ignore_errors=True)
        return count

    def sign_get(self, key: StorageKey, *, lifetime: timedelta, filename: str | None = None) -> str:
        permit = Permit("GET", read_key(key), expiry(self._clock(), lifetime), filename=filename or "")
        return f"{self._base_url}/api/storage/download?{self._signer.query(permit)}"

    def sign_put(
        self, key: StorageKey, *, size: int | None, content_type: str, lifetime: timedelta
    ) -> SignedUpload:
        if size is None:
            raise NotBuiltError(_NEED_A_BUCKET)
        expires = expiry(self._clock(), lifetime)
        permit = Permit("PUT", read_key(key), expires, size=size, content_type=content_type)
        return SignedUpload(
            url=f"{self._base_url}/api/storage/upload?{self._signer.query(permit)}",
            key=key,
            expires_at=datetime.fromtimestamp(expires, UTC),
            headers={"Content-Type": content_type},
        )

    def sign_parts(
        self, key: StorageKey, *, count: int, content_type: str, lifetime: timedelta
    ) -> SignedParts:
        raise NotBuiltError(_NEED_A_BUCKET)

    def join_parts(self, key: StorageKey, upload_id: str, *, count: int) -> None:
        raise NotBuiltError(_NEED_A_BUCKET)

    def drop_parts(self, key: StorageKey, upload_id: str) -> None:
        raise NotBuiltError(_NEED_A_BUCKET)

    def check_link(self, method: str, fields: dict[str, str]) -> Permit:
        """What a link that came back allows. Raise ForbiddenError when it is void."""
        return self._signer.check(method, fields, now=self._clock())

    def _path(self, key: StorageKey) -> Path:
        path = self._root / read_key(key)
        if not path.resolve().is_relative_to(self._root.resolve()):
            raise ForbiddenError("this is not a storage key")
        return path


def _copy(source: BinaryIO, target: BinaryIO, size: int, beat: Beat) -> None:
    done = 0
    while block := source.read(_BLOCK):
        target.write(block)
        done += len(block)
        beat(min(done / size, 1.0) if size else 0.0)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise OutOfDiskError("no space is left in the object store") from error
        if isinstance(error, (FileNotFoundError, ConnectionError)):
            raise
        raise StorageUnavailableError(f"the object store does not answer: {error}") from error
