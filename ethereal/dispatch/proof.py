"""The token that proves a report: derived for each attempt of a job, so the secret itself never travels."""

from __future__ import annotations

import hashlib
import hmac

from ethereal.errors import UnauthorizedError


def make_token(secret: bytes, job_id: str, attempt: int) -> str:
    """The token of one attempt of one job."""
    return hmac.new(secret, f"report\0{job_id}\0{attempt}".encode(), hashlib.sha256).hexdigest()


def check_token(secret: bytes, token: str, job_id: str, attempt: int) -> None:
    """Raise UnauthorizedError unless the token was made for this attempt; takes equally long either way."""
    expected = make_token(secret, job_id, attempt)
    if not hmac.compare_digest(expected.encode(), token.encode("utf-8", "replace")):
        raise UnauthorizedError("this token was not made for this attempt")
