"""How R2 is spoken to, and what its errors become."""

from __future__ import annotations

import os

import pytest
from botocore import exceptions as vendor
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from ethereal.errors import EtherealError, MisconfiguredError, NotFoundError, StorageUnavailableError
from ethereal.storage.parts import parts_of
from ethereal.storage.r2_bucket import Patience, R2Bucket, client_config, r2_endpoint, translated

BUCKET = R2Bucket("http://127.0.0.1:1", "bucket", "key", "secret")


def test_boto3_adds_no_checksum_that_r2_refuses() -> None:
    config = client_config(Patience())

    assert config.request_checksum_calculation == "when_required"
    assert config.response_checksum_validation == "when_required"
    assert config.signature_version == "s3v4"
    assert config.s3["addressing_style"] == "path"
    assert config.connect_timeout
    assert config.read_timeout
    assert config.retries["total_max_attempts"] == 4
    assert BUCKET.client.meta.region_name == "auto"
    assert BUCKET.client.meta.config.request_checksum_calculation == "when_required"


def test_the_endpoint_follows_from_the_account() -> None:
    assert r2_endpoint("abc") == "https://abc.r2.cloudflarestorage.com"


def test_a_secret_is_not_shown() -> None:
    assert "secret" not in repr(BUCKET).replace("secret_access_key", "")


def test_a_client_is_kept_and_not_carried_across_a_fork() -> None:
    mine = BUCKET.client
    assert BUCKET.client is mine
    child = os.fork()
    if child == 0:
        os._exit(0 if BUCKET.client is not mine else 1)
    assert os.waitpid(child, 0)[1] == 0


def answer(code: str, status: int) -> ClientError:
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "GetObject")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (answer("NoSuchKey", 404), NotFoundError),
        (answer("404", 404), NotFoundError),
        (answer("NoSuchUpload", 404), StorageUnavailableError),
        (answer("PreconditionFailed", 412), StorageUnavailableError),
        (answer("SlowDown", 503), StorageUnavailableError),
        (answer("InternalError", 500), StorageUnavailableError),
        (answer("", 502), StorageUnavailableError),
        (answer("TooManyRequests", 429), StorageUnavailableError),
        (answer("AccessDenied", 403), MisconfiguredError),
        (answer("SignatureDoesNotMatch", 403), MisconfiguredError),
        (answer("InvalidAccessKeyId", 403), MisconfiguredError),
        (answer("RequestTimeTooSkewed", 403), MisconfiguredError),
        (answer("Unauthorized", 401), MisconfiguredError),
        (answer("NoSuchBucket", 404), MisconfiguredError),
        (answer("NotImplemented", 501), MisconfiguredError),
        (vendor.EndpointConnectionError(endpoint_url="u"), StorageUnavailableError),
        (vendor.ConnectTimeoutError(endpoint_url="u"), StorageUnavailableError),
        (vendor.ReadTimeoutError(endpoint_url="u"), StorageUnavailableError),
        (vendor.ConnectionClosedError(endpoint_url="u"), StorageUnavailableError),
        (vendor.ResponseStreamingError(error="e"), StorageUnavailableError),
        (vendor.IncompleteReadError(actual_bytes=1, expected_bytes=2), StorageUnavailableError),
        (vendor.HTTPClientError(error="e"), StorageUnavailableError),
        (vendor.SSLError(endpoint_url="u", error="e"), StorageUnavailableError),
        (vendor.ProxyConnectionError(proxy_url="u"), StorageUnavailableError),
        (ResponseParserError("no xml"), StorageUnavailableError),
        (vendor.ParamValidationError(report="bad bucket name"), MisconfiguredError),
        (vendor.ProfileNotFound(profile="p"), MisconfiguredError),
    ],
)
def test_an_error_of_boto3_becomes_ours(error: Exception, expected: type[EtherealError]) -> None:
    with pytest.raises(EtherealError) as raised, translated("object x"):
        raise error
    assert type(raised.value) is expected
    assert raised.value.__cause__ is error


def test_no_error_of_boto3_gets_out() -> None:
    kinds = [kind for kind in vars(vendor).values() if isinstance(kind, type)]
    for kind in [kind for kind in kinds if issubclass(kind, vendor.BotoCoreError)]:
        error = kind.__new__(kind)
        with pytest.raises(EtherealError), translated():
            raise error


def test_an_endpoint_that_is_none_is_told_apart_from_one_that_is_away() -> None:
    with pytest.raises(MisconfiguredError, match="ETHEREAL_R2"):
        _ = R2Bucket("not an address", "bucket", "key", "secret").client


@pytest.mark.parametrize(
    ("size", "sizes"), [(0, []), (1, [1]), (10, [5, 5]), (11, [5, 5, 1])], ids=["none", "one", "even", "odd"]
)
def test_parts_are_equal_but_for_the_last(size: int, sizes: list[int]) -> None:
    parts = parts_of(size, 5)
    assert [part.size for part in parts] == sizes
    assert [part.start for part in parts] == list(range(0, size, 5))


def test_a_huge_file_is_cut_into_no_more_parts_than_a_server_takes() -> None:
    parts = parts_of(1 << 40, 16 << 20)
    assert len(parts) <= 10_000
    assert parts[-1].end == 1 << 40
