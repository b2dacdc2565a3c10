"""Links to local objects: expiring, and void when anything in them is changed."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from ethereal.errors import ForbiddenError
from ethereal.storage.keys import StorageKey, read_key


@dataclass(frozen=True)
class Permit:
    """What a signed link allows until `expires` (seconds since the epoch)."""

    method: str
    key: StorageKey
    expires: int
    filename: str = ""
    size: int = 0
    content_type: str = ""

    def fields(self) -> dict[str, str]:
        named = {
            "key": self.key,
            "expires": str(self.expires),
            "filename": self.filename,
            "size": str(self.size or ""),
            "contentType": self.content_type,
        }
        return {name: value for name, value in named.items() if value}


class Signer:
    """Makes and checks signatures under one secret."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def query(self, permit: Permit) -> str:
        """The query string of a link that carries the permit."""
        return urlencode(permit.fields() | {"signature": self._signature(permit)})

    def check(self, method: str, fields: dict[str, str], *, now: datetime) -> Permit:
        """Return what a link permits. Raise ForbiddenError when it was changed or has expired."""
        try:
            permit = Permit(
                method=method,
                key=read_key(fields.get("key", "")),
                expires=int(fields.get("expires", "0")),
                filename=fields.get("filename", ""),
                size=int(fields.get("size", "0")),
                content_type=fields.get("contentType", ""),
            )
        except ValueError as error:
            raise ForbiddenError("this link is not valid") from error
        if not hmac.compare_digest(
            self._signature(permit).encode(), fields.get("signature", "").encode("utf-8", "replace")
        ):
            raise ForbiddenError("this link is not valid")
        if now.timestamp() > permit.expires:
            raise ForbiddenError("this link has expired")
        return permit

    def _signature(self, permit: Permit) -> str:
        parts = [permit.method, *(f"{name}={value}" for name, value in sorted(permit.fields().items()))]
        framed = b"".join(len(part.encode()).to_bytes(4, "big") + part.encode() for part in parts)
        return hmac.new(self._secret, framed, hashlib.sha256).hexdigest()


def expiry(now: datetime, lifetime: timedelta) -> int:
    return int((now + lifetime).astimezone(UTC).timestamp())
