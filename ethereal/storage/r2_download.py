"""Gets an object out of a bucket: into a file in parts that survive a cut, or as a seekable stream."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from threading import Event
from typing import TYPE_CHECKING

from ethereal.beat import Beat
from ethereal.errors import OutOfDiskError, StorageUnavailableError
from ethereal.storage.keys import StorageKey
from ethereal.storage.parts import Part, StoppedError, parts_of, run_parts
from ethereal.storage.r2_bucket import CUT_OFF, R2Bucket, translated

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_BLOCK = 1 << 18
_BUFFER = 4 << 20
#: How often one range may be cut off before the store counts as away.
_CUTS = 8


@dataclass(frozen=True)
class Source:
    """One version of an object: when it is replaced while being read, reading ends."""

    bucket: R2Bucket
    key: StorageKey
    size: int
    etag: str

    def blocks(self, start: int, end: int) -> Iterator[bytes]:
        """The bytes `start <= offset < end` as they come, gone on with where the connection was cut."""
        at, cuts = start, 0
        while at < end:
            try:
                for block in self._request(at, end):
                    at += len(block)
                    yield block
            except CUT_OFF:
                cuts += 1
                if cuts > _CUTS:
                    raise

    def _request(self, start: int, end: int) -> Iterator[bytes]:
        answer = self.bucket.client.get_object(
            Bucket=self.bucket.name, Key=self.key, Range=f"bytes={start}-{end - 1}", IfMatch=self.etag
        )
        with closing(answer["Body"]) as body:
            if answer["ContentLength"] != end - start:
                raise StorageUnavailableError("the object store sent another range than asked for")
            yield from body.iter_chunks(_BLOCK)


def find_source(bucket: R2Bucket, key: StorageKey) -> Source:
    """The object as it is now. Raise NotFoundError if there is none."""
    with translated(f"object {key}"):
        head = bucket.client.head_object(Bucket=bucket.name, Key=key)
    return Source(bucket, key, head["ContentLength"], head["ETag"])


def download(source: Source, target: Path, *, part_size: int, beat: Beat) -> None:
    """Write the object to `target`, whole or not at all."""
    with _partial(target) as file:
        parts = parts_of(source.size, part_size)
        with translated(f"object {source.key}"):
            run_parts(lambda part, stop: _fetch(source, file, part, stop), parts, beat=beat)


def _fetch(source: Source, file: int, part: Part, stop: Event) -> None:
    at = part.start
    for block in source.blocks(part.start, part.end):
        if stop.is_set():
            raise StoppedError
        os.pwrite(file, block, at)
        at += len(block)


@contextmanager
def _partial(target: Path) -> Iterator[int]:
    """The descriptor of a file beside the target, which takes its place when the block ends well."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=target.parent, prefix=".partial-", delete=False) as file:
        path = Path(file.name)
        try:
            yield file.fileno()
            path.replace(target)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise OutOfDiskError(f"no space is left for {target.name}") from error
            raise
        finally:
            path.unlink(missing_ok=True)


def open_stream(source: Source) -> io.BufferedReader:
    return io.BufferedReader(_Ranges(source), _BUFFER)


class _Ranges(io.RawIOBase):
    """An object as a seekable stream, read in ranges."""

    def __init__(self, source: Source) -> None:
        self._source, self._at = source, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._source.size}[whence]
        return self._at

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        data = self._range(self._at, self._at + len(view))
        view[: len(data)] = data
        return len(data)

    def readall(self) -> bytes:
        return self._range(self._at, self._source.size)

    def _range(self, start: int, end: int) -> bytes:
        end = min(end, self._source.size)
        if start >= end:
            return b""
        with translated(f"object {self._source.key}"):
            data = b"".join(self._source.blocks(start, end))
        self._at = start + len(data)
        return data
