"""A bucket on Cloudflare R2, or on any server that speaks S3: its client, and its errors as ours."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    HTTPClientError,
    IncompleteReadError,
)
from botocore.parsers import ResponseParserError

from ethereal.errors import EtherealError, MisconfiguredError, NotFoundError, StorageUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

#: What boto3 raises when the network or the server let it down.
CUT_OFF = (ConnectionError, HTTPClientError, IncompleteReadError, ResponseParserError)
#: Operations whose checksum boto3 insists on. R2 knows no SDK checksums there, but the older Content-MD5.
_CHECKED = ("DeleteObjects", "PutBucketCors", "PutBucketLifecycleConfiguration")
_NOT_THERE = {"404", "NoSuchKey", "NotFound"}
_AGAIN = {"PreconditionFailed", "NoSuchUpload", "InvalidPart", "BadDigest", "RequestTimeout"}
_REFUSED = "the object store refuses the settings ETHEREAL_R2_*"


def r2_endpoint(account_id: str) -> str:
    """Where R2 keeps the buckets of an account."""
    return f"https://{account_id}.r2.cloudflarestorage.com"


@dataclass(frozen=True)
class Patience:
    """How long a request may take, and how often it is tried."""

    connect_seconds: float = 10.0
    read_seconds: float = 30.0
    attempts: int = 4


@dataclass(frozen=True)
class R2Bucket:
    """One bucket and what opens it. Clients are made when first used, one per process."""

    endpoint: str
    name: str
    access_key_id: str
    secret_access_key: str = field(repr=False)
    patience: Patience = Patience()
    _clients: dict[int, S3Client] = field(default_factory=dict, repr=False, compare=False)

    @property
    def client(self) -> S3Client:
        """The client of this process: connections do not survive a fork."""
        known = self._clients.get(os.getpid())
        return known or self._clients.setdefault(os.getpid(), self._connect())

    def _connect(self) -> S3Client:
        try:
            client: S3Client = boto3.session.Session().client(
                "s3",
                endpoint_url=self.endpoint,
                region_name="auto",
                aws_access_key_id=self.access_key_id,
                aws_secret_access_key=self.secret_access_key,
                config=client_config(self.patience),
            )
        except ValueError as error:
            raise MisconfiguredError(f"{_REFUSED}: {error}") from error
        for operation in _CHECKED:
            client.meta.events.register(f"before-call.s3.{operation}", _prove_by_md5)
        return client


def client_config(patience: Patience) -> Config:
    """What R2 needs: boto3's own checksums come in a form that it refuses."""
    return Config(
        signature_version="s3v4",
        s3={"addressing_style": "path"},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        connect_timeout=patience.connect_seconds,
        read_timeout=patience.read_seconds,
        retries={"mode": "standard", "total_max_attempts": patience.attempts},
        tcp_keepalive=True,
    )


def content_md5(data: bytes) -> str:
    """The header that lets the server see whether it got these bytes."""
    return base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()


def _prove_by_md5(params: dict[str, Any], **_: object) -> None:
    params["context"].pop("checksum", None)
    params["headers"]["Content-MD5"] = content_md5(params["body"])


@contextmanager
def translated(what: str = "object") -> Iterator[None]:
    """Turn what boto3 raises into our errors. `what` is named when it is not there."""
    try:
        yield
    except ClientError as error:
        raise _from_answer(error, what) from error
    except CUT_OFF as error:
        raise StorageUnavailableError(f"the object store does not answer ({type(error).__name__})") from error
    except BotoCoreError as error:
        raise MisconfiguredError(f"{_REFUSED}: {error}") from error


def code_of(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _from_answer(error: ClientError, what: str) -> EtherealError:
    code, status = code_of(error), error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in _NOT_THERE:
        return NotFoundError(f"no {what}")
    if code in _AGAIN or status in (408, 429) or (status >= 500 and status != 501):
        return StorageUnavailableError(f"the object store could not do it ({code or status})")
    return MisconfiguredError(f"{_REFUSED} ({code or status})")
