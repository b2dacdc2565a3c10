"""The object store in a bucket of Cloudflare R2; its links lead straight there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from ethereal.beat import Beat, no_beat
from ethereal.errors import NotFoundError, StorageUnavailableError
from ethereal.storage.content_types import content_type_of
from ethereal.storage.keys import StorageKey, read_key
from ethereal.storage.r2_bucket import R2Bucket, translated
from ethereal.storage.r2_download import download, find_source, open_stream
from ethereal.storage.r2_parts import begin_parts, drop_parts, drop_unfinished, join_parts
from ethereal.storage.r2_upload import Upload, upload
from ethereal.storage.store import ObjectFacts, SignedParts, SignedUpload

_PART_SIZE = 16 << 20
#: R2 signs no link for longer.
_LONGEST = timedelta(days=7)
_DELETED_AT_ONCE = 1000


class R2ObjectStore:
    """Keeps objects in a bucket. Files larger than `part_size` bytes (5 MiB at least) travel in parts."""

    def __init__(self, bucket: R2Bucket, *, part_size: int = _PART_SIZE) -> None:
        self.bucket = bucket
        self._part_size = part_size

    def put(
        self, key: StorageKey, source: Path, *, content_type: str | None = None, beat: Beat = no_beat
    ) -> ObjectFacts:
        upload(Upload(self.bucket, read_key(key), source, content_type), part_size=self._part_size, beat=beat)
        return self.stat(key)

    def fetch(self, key: StorageKey, target: Path, *, beat: Beat = no_beat) -> Path:
        source = find_source(self.bucket, read_key(key))
        download(source, target, part_size=self._part_size, beat=beat)
        return target

    @contextmanager
    def open(self, key: StorageKey) -> Iterator[BinaryIO]:
        with open_stream(find_source(self.bucket, read_key(key))) as stream:
            yield stream

    def stat(self, key: StorageKey) -> ObjectFacts:
        with translated(f"object {key}"):
            head = self.bucket.client.head_object(Bucket=self.bucket.name, Key=read_key(key))
        modified = head["LastModified"].astimezone(UTC)
        return ObjectFacts(key, head["ContentLength"], modified, head["ContentType"])

    def exists(self, key: StorageKey) -> bool:
        try:
            self.stat(key)
        except NotFoundError:
            return False
        return True

    def list(self, prefix: StorageKey) -> Iterator[ObjectFacts]:
        pages = self.bucket.client.get_paginator("list_objects_v2")
        with translated(f"bucket {self.bucket.name}"):
            for page in pages.paginate(Bucket=self.bucket.name, Prefix=prefix):
                for entry in page.get("Contents", []):
                    key = StorageKey(entry["Key"])
                    modified = entry["LastModified"].astimezone(UTC)
                    yield ObjectFacts(key, entry["Size"], modified, content_type_of(key))

    def delete(self, key: StorageKey) -> None:
        with translated():
            self.bucket.client.delete_object(Bucket=self.bucket.name, Key=read_key(key))

    def delete_prefix(self, prefix: StorageKey) -> int:
        folder = StorageKey(read_key(prefix.rstrip("/")) + "/")
        keys = [facts.key for facts in self.list(folder)]
        for start in range(0, len(keys), _DELETED_AT_ONCE):
            self._delete_several(keys[start : start + _DELETED_AT_ONCE])
        drop_unfinished(self.bucket, folder)
        return len(keys)

    def sign_get(self, key: StorageKey, *, lifetime: timedelta, filename: str | None = None) -> str:
        wanted: dict[str, object] = {"Key": read_key(key)}
        if filename:
            wanted["ResponseContentDisposition"] = _attachment(filename)
        return self._sign("get_object", wanted, lifetime)

    def sign_put(
        self, key: StorageKey, *, size: int | None, content_type: str, lifetime: timedelta
    ) -> SignedUpload:
        expires_at = datetime.now(UTC) + min(lifetime, _LONGEST)
        bound: dict[str, object] = {"Key": read_key(key), "ContentType": content_type}
        if size is not None:
            bound["ContentLength"] = size
        return SignedUpload(
            url=self._sign("put_object", bound, lifetime),
            key=key,
            expires_at=expires_at,
            headers={"Content-Type": content_type},
        )

    def sign_parts(
        self, key: StorageKey, *, count: int, content_type: str, lifetime: timedelta
    ) -> SignedParts:
        return begin_parts(
            self.bucket,
            read_key(key),
            count=count,
            content_type=content_type,
            lifetime=min(lifetime, _LONGEST),
        )

    def join_parts(self, key: StorageKey, upload_id: str, *, count: int) -> None:
        join_parts(self.bucket, read_key(key), upload_id, count=count)

    def drop_parts(self, key: StorageKey, upload_id: str) -> None:
        drop_parts(self.bucket, read_key(key), upload_id)

    def _delete_several(self, keys: Sequence[StorageKey]) -> None:
        with translated():
            answer = self.bucket.client.delete_objects(
                Bucket=self.bucket.name, Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True}
            )
        if refused := answer.get("Errors"):
            raise StorageUnavailableError(f"{len(refused)} objects could not be deleted")

    def _sign(self, operation: str, parameters: dict[str, object], lifetime: timedelta) -> str:
        with translated():
            return self.bucket.client.generate_presigned_url(
                operation,
                Params={"Bucket": self.bucket.name} | parameters,
                ExpiresIn=int(min(lifetime, _LONGEST).total_seconds()),
            )


def _attachment(filename: str) -> str:
    """The header that makes a browser save a file under this name (RFC 6266)."""
    plain = filename.encode("ascii", "replace").decode().translate({ord(letter): "_" for letter in '"\\%?'})
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"
