"""Objects that somebody without credentials puts in parts: begun, signed and joined here.

A part is put by a link, which R2 takes; to join parts is a POST, which R2 takes signed by its header alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from botocore.exceptions import ClientError

from ethereal.errors import NotFoundError
from ethereal.storage.keys import StorageKey
from ethereal.storage.r2_bucket import R2Bucket, code_of, translated
from ethereal.storage.store import SignedParts


def begin_parts(
    bucket: R2Bucket, key: StorageKey, *, count: int, content_type: str, lifetime: timedelta
) -> SignedParts:
    with translated():
        begun = bucket.client.create_multipart_upload(Bucket=bucket.name, Key=key, ContentType=content_type)
        upload_id = begun["UploadId"]
        return SignedParts(
            upload_id, tuple(_sign(bucket, key, upload_id, number + 1, lifetime) for number in range(count))
        )


def join_parts(bucket: R2Bucket, key: StorageKey, upload_id: str, *, count: int) -> None:
    with translated(), _unless_over():
        pages = bucket.client.get_paginator("list_parts").paginate(
            Bucket=bucket.name, Key=key, UploadId=upload_id
        )
        etags = {part["PartNumber"]: part["ETag"] for page in pages for part in page.get("Parts", [])}
        if missing := set(range(1, count + 1)) - set(etags):
            raise NotFoundError(f"{len(missing)} of {count} parts of {key} are not there")
        parts = [{"PartNumber": number, "ETag": etags[number]} for number in range(1, count + 1)]
        bucket.client.complete_multipart_upload(
            Bucket=bucket.name,
            Key=key,
            UploadId=upload_id,
            MultipartUpload={"Parts": parts},  # type: ignore[typeddict-item]
        )


def drop_parts(bucket: R2Bucket, key: StorageKey, upload_id: str) -> None:
    with translated(), _unless_over():
        bucket.client.abort_multipart_upload(Bucket=bucket.name, Key=key, UploadId=upload_id)


def drop_unfinished(bucket: R2Bucket, folder: StorageKey) -> None:
    """Drop the parts of all uploads below a folder."""
    with translated():
        pages = bucket.client.get_paginator("list_multipart_uploads").paginate(
            Bucket=bucket.name, Prefix=folder
        )
        begun = [(entry["Key"], entry["UploadId"]) for page in pages for entry in page.get("Uploads", [])]
    for key, upload_id in begun:
        drop_parts(bucket, StorageKey(key), upload_id)


def _sign(bucket: R2Bucket, key: StorageKey, upload_id: str, number: int, lifetime: timedelta) -> str:
    wanted = {"Bucket": bucket.name, "Key": key, "UploadId": upload_id, "PartNumber": number}
    return bucket.client.generate_presigned_url(
        "upload_part", Params=wanted, ExpiresIn=int(lifetime.total_seconds())
    )


@contextmanager
def _unless_over() -> Iterator[None]:
    """An upload that is no more was joined or dropped before."""
    try:
        yield
    except ClientError as error:
        if code_of(error) != "NoSuchUpload":
            raise
