"""Puts a file into a bucket: small ones at once, large ones in equal parts that a later try continues."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, BinaryIO, cast

from ethereal.beat import Beat
from ethereal.errors import EtherealError, NotFoundError, StorageUnavailableError
from ethereal.storage.content_types import content_type_of
from ethereal.storage.keys import StorageKey
from ethereal.storage.parts import Part, Section, parts_of, run_parts
from ethereal.storage.r2_bucket import R2Bucket, content_md5, translated

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

_BLOCK = 1 << 20


@dataclass(frozen=True)
class Upload:
    """A file on its way to a key."""

    bucket: R2Bucket
    key: StorageKey
    source: Path
    content_type: str | None = None

    @property
    def type_(self) -> str:
        return self.content_type or content_type_of(self.key)


def upload(task: Upload, *, part_size: int, beat: Beat) -> None:
    """Put the file, whole or not at all; once it is there, the beat is not called any more.

    Stopped by the beat, it takes back what it sent. Cut off by the network, it leaves the parts for the next
    put of the same bytes, on any host; the bucket drops parts that nobody continued after two days.
    """
    parts = parts_of(task.source.stat().st_size, part_size)
    with task.source.open("rb") as file:
        if len(parts) <= 1:
            _put_whole(task, _read(file, beat), beat)
        else:
            _put_in_parts(task, file, parts, beat)


def _read(file: BinaryIO, beat: Beat) -> bytes:
    """The beat is told what was read: the sending itself cannot be stopped half-way."""
    size, data = os.fstat(file.fileno()).st_size, bytearray()
    while block := file.read(_BLOCK):
        data += block
        beat(min(len(data) / size, 1.0))
    return bytes(data)


def _put_whole(task: Upload, data: bytes, beat: Beat) -> None:
    def put(_: Part, __: Event) -> None:
        with translated():
            task.bucket.client.put_object(
                Bucket=task.bucket.name,
                Key=task.key,
                Body=data,
                ContentType=task.type_,
                ContentMD5=content_md5(data),
            )

    run_parts(put, [Part(1, 0, len(data))], beat=beat)


def _put_in_parts(task: Upload, file: BinaryIO, parts: list[Part], beat: Beat) -> None:
    upload_id, stored = _find_unfinished(task) or (_begin(task), {})
    try:
        with translated():
            sent = run_parts(
                lambda part, stop: _send(task, upload_id, Section(file, part, stop), stored),
                parts,
                beat=beat,
            )
        _complete(task, upload_id, sent)
    except StorageUnavailableError:
        raise
    except BaseException:
        _abort(task, upload_id)
        raise


def _find_unfinished(task: Upload) -> tuple[str, Mapping[int, str]] | None:
    """An upload to this key that was cut off: its id, and the ETags of its parts by number."""
    if task.type_ != content_type_of(task.key):
        return None  # it would keep the content type that it was begun with
    client, bucket = task.bucket.client, task.bucket.name
    with translated():
        listed = client.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, Prefix=task.key)
        begun = [entry for page in listed for entry in page.get("Uploads", []) if entry["Key"] == task.key]
        if not begun:
            return None
        upload_id = max(begun, key=lambda entry: entry["Initiated"])["UploadId"]
        pages = client.get_paginator("list_parts").paginate(Bucket=bucket, Key=task.key, UploadId=upload_id)
        return upload_id, {
            part["PartNumber"]: part["ETag"] for page in pages for part in page.get("Parts", [])
        }


def _begin(task: Upload) -> str:
    with translated():
        answer = task.bucket.client.create_multipart_upload(
            Bucket=task.bucket.name, Key=task.key, ContentType=task.type_
        )
    return answer["UploadId"]


def _send(task: Upload, upload_id: str, section: Section, stored: Mapping[int, str]) -> CompletedPartTypeDef:
    """Send one part, unless the server has these bytes.

    R2 gives the MD5 of a part as its ETag; where a server gives something else, every part is sent.
    """
    number, md5 = section.part.number, section.md5()
    etag = stored.get(number, "")
    if etag.strip('"') != md5.hex():
        etag = task.bucket.client.upload_part(
            Bucket=task.bucket.name,
            Key=task.key,
            UploadId=upload_id,
            PartNumber=number,
            Body=cast(BinaryIO, section),
            ContentMD5=base64.b64encode(md5).decode(),
        )["ETag"]
    return {"PartNumber": number, "ETag": etag}


def _complete(task: Upload, upload_id: str, sent: list[CompletedPartTypeDef]) -> None:
    try:
        with translated():
            task.bucket.client.complete_multipart_upload(
                Bucket=task.bucket.name, Key=task.key, UploadId=upload_id, MultipartUpload={"Parts": sent}
            )
    except StorageUnavailableError:
        if not _is_there(task, sent):  # or was it done, and only the answer lost?
            raise


def _is_there(task: Upload, sent: list[CompletedPartTypeDef]) -> bool:
    """Whether the object under the key is the one put together from these parts."""
    joined = b"".join(bytes.fromhex(part["ETag"].strip('"')) for part in sent)
    digest = hashlib.md5(joined, usedforsecurity=False).hexdigest()
    with suppress(NotFoundError), translated():
        found = task.bucket.client.head_object(Bucket=task.bucket.name, Key=task.key)
        return found["ETag"].strip('"') == f"{digest}-{len(sent)}"
    return False


def _abort(task: Upload, upload_id: str) -> None:
    with suppress(EtherealError), translated():
        task.bucket.client.abort_multipart_upload(Bucket=task.bucket.name, Key=task.key, UploadId=upload_id)
