"""Checks signatures of S3 requests (AWS Signature Version 4): in the header, or in the query of a link.

Each request is signed once more with botocore's own signer and the two are compared.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from botocore.auth import UNSIGNED_PAYLOAD, S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from werkzeug import Request

REGIONS = {"auto", "us-east-1", "wnam", "enam", "weur", "eeur", "apac", "oc"}
_SKEW = timedelta(minutes=15)
_LONGEST_LINK = 7 * 24 * 3600


class RefusedError(Exception):
    """How R2 refuses a request."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


def check_signature(request: Request, body: bytes, secrets: Mapping[str, str], *, now: datetime) -> None:
    """Raise RefusedError unless one of the keys signed the request. `secrets` maps key ids to secrets."""
    if "X-Amz-Signature" in request.args:
        _check_link(request, secrets, now)
    else:
        _check_header(request, body, secrets, now)


def _check_header(request: Request, body: bytes, secrets: Mapping[str, str], now: datetime) -> None:
    kind, _, rest = request.headers.get("Authorization", "").partition(" ")
    if kind != "AWS4-HMAC-SHA256":
        raise RefusedError(400, "InvalidArgument", "Authorization")
    fields = dict(part.strip().split("=", 1) for part in rest.split(","))
    when = request.headers["X-Amz-Date"]
    if abs(now - _instant(when)) > _SKEW:
        raise RefusedError(
            403, "RequestTimeTooSkewed", "The request's time differs too much from the server's."
        )
    payload = request.headers.get("X-Amz-Content-Sha256", UNSIGNED_PAYLOAD)
    if payload not in (UNSIGNED_PAYLOAD, hashlib.sha256(body).hexdigest()):
        raise RefusedError(400, "XAmzContentSHA256Mismatch", "The body is not the one that was signed.")
    signer = _signer(S3SigV4Auth, fields["Credential"], secrets)
    query = list(request.args.items(multi=True))
    _compare(fields["Signature"], signer, request, fields["SignedHeaders"], when, query, payload)


def _check_link(request: Request, secrets: Mapping[str, str], now: datetime) -> None:
    fields = request.args
    when, lifetime = fields["X-Amz-Date"], int(fields["X-Amz-Expires"])
    if not 1 <= lifetime <= _LONGEST_LINK:
        raise RefusedError(400, "AuthorizationQueryParametersError", "X-Amz-Expires is out of range")
    if now > _instant(when) + timedelta(seconds=lifetime):
        raise RefusedError(403, "AccessDenied", "Request has expired")
    signer = _signer(S3SigV4QueryAuth, fields["X-Amz-Credential"], secrets)
    query = [(name, value) for name, value in fields.items(multi=True) if name != "X-Amz-Signature"]
    signed = fields["X-Amz-SignedHeaders"]
    _compare(fields["X-Amz-Signature"], signer, request, signed, when, query, UNSIGNED_PAYLOAD)


def _signer(kind: type[S3SigV4Auth], credential: str, secrets: Mapping[str, str]) -> S3SigV4Auth:
    key_id, _, region, service, _ = credential.split("/")
    if key_id not in secrets:
        raise RefusedError(403, "InvalidAccessKeyId", "The access key id does not exist in our records.")
    if region not in REGIONS:
        raise RefusedError(400, "InvalidRegionName", f"The region name '{region}' is not valid.")
    return kind(Credentials(key_id, secrets[key_id]), service, region)


def _compare(
    given: str,
    signer: S3SigV4Auth,
    request: Request,
    signed_headers: str,
    when: str,
    query: list[tuple[str, str]],
    payload: str,
) -> None:
    path = str(request.environ.get("RAW_URI", request.full_path)).partition("?")[0]
    signed = AWSRequest(request.method, f"http://{request.host}{path}")
    signed.context["timestamp"] = when
    names = signed_headers.split(";")
    headers = "".join(f"{name}:{' '.join(request.headers.get(name, '').split())}\n" for name in names)
    pairs = sorted((quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in query)
    encoded = "&".join(f"{name}={value}" for name, value in pairs)
    canonical = "\n".join([request.method, path, encoded, headers, signed_headers, payload])
    right = signer.signature(signer.string_to_sign(signed, canonical), signed)
    if not hmac.compare_digest(right, given):
        raise RefusedError(403, "SignatureDoesNotMatch", "The signature does not match the request.")


def _instant(text: str) -> datetime:
    return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
