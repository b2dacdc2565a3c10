"""A client of the HTTP API: upload, submit, follow, cancel, download. For the CLI and for programs.

Only the standard library, so that a program can carry this file alone with `errors.py`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPResponse
from pathlib import Path
from typing import IO, Any, cast
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urljoin, urlsplit
from urllib.request import Request, urlopen

from ethereal.beat import Beat, no_beat
from ethereal.errors import EtherealError, UnavailableError

_BLOCK = 1 << 20
_SECONDS = 30.0
FINAL = frozenset({"complete", "failed", "cancelled"})


class ApiError(EtherealError):
    """The server refused; `server_code` and the message are its own.

    The same request may be sent again after `retry_after` seconds, where the server says so.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        details: Mapping[str, list[str]],
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.status = status
        self.server_code = code
        self.details = details


@dataclass(frozen=True)
class ApiClient:
    """Talks to one server. Raises ApiError for a refusal, UnavailableError when nobody answers."""

    base_url: str
    token: str | None = None

    def upload(self, path: Path, *, beat: Beat = no_beat) -> str:
        """Send a file to the object store and return its storage key."""
        size = path.stat().st_size
        asked = self.call("POST", "/api/storage/upload", {"filename": path.name, "size": size})
        with path.open("rb") as file:
            body = cast(IO[bytes], _Watched(file, size, beat))
            headers = {**asked.get("headers", {}), "Content-Length": str(size)}
            self._open(asked["method"], asked["uploadUrl"], body, headers).close()
        return cast(str, asked["key"])

    def render(self, storage_key: str, filename: str, **request: object) -> dict[str, Any]:
        """Submit a render of uploaded audio; the answer holds `jobId`."""
        audio = {"type": "upload", "storageKey": storage_key, "filename": filename}
        return self.call("POST", "/api/render", {"audio": audio, **request})

    def ingest(self, **source: object) -> dict[str, Any]:
        """Have sound taken in, named as the API takes it; the answer holds `jobId`."""
        return self.call("POST", "/api/audio/ingest", source)

    def edit(self, kind: str, recipe: object) -> dict[str, Any]:
        """Have the sound of a recipe made, to hear it (`preview`) or to keep it (`save`)."""
        return self.call("POST", f"/api/audio/edit/{kind}", recipe)

    def job(self, job_id: str) -> dict[str, Any]:
        return self.call("GET", f"/api/jobs/{job_id}")

    def jobs(self, **filters: object) -> list[dict[str, Any]]:
        """Jobs, newest first."""
        query = urlencode({name: value for name, value in filters.items() if value is not None})
        return cast(list[dict[str, Any]], self.call("GET", f"/api/jobs?{query}")["jobs"])

    def cancel(self, job_id: str) -> dict[str, Any]:
        return self.call("POST", f"/api/jobs/{job_id}/cancel")

    def follow(self, job_id: str, *, every: float = 0.5) -> Iterator[dict[str, Any]]:
        """The job again and again until it has ended."""
        while True:
            job = self.job(job_id)
            yield job
            if job["status"] in FINAL:
                return
            time.sleep(every)

    def download(self, url: str, target: Path, *, beat: Beat = no_beat) -> Path:
        """Fetch a signed link to `target`, whole or not at all."""
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f".{target.name}.partial")
        try:
            with self._open("GET", url, None, {}) as response, partial.open("wb") as file:
                _receive(response, file, beat)
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
        return target

    def call(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """One JSON request, one JSON answer."""
        data = None if body is None else json.dumps(body).encode()
        with self._open(method, path, data, {"Content-Type": "application/json"}) as response:
            return cast(dict[str, Any], json.load(response))

    def _open(
        self, method: str, url: str, body: bytes | IO[bytes] | None, headers: Mapping[str, str]
    ) -> HTTPResponse:
        address = urljoin(self.base_url + "/", url)
        own = urlsplit(address).netloc == urlsplit(self.base_url).netloc
        proof = {"Authorization": f"Bearer {self.token}"} if self.token and own else {}
        request = Request(address, data=body, headers={**headers, **proof}, method=method)  # noqa: S310
        try:
            return cast(HTTPResponse, urlopen(request, timeout=_SECONDS))  # noqa: S310
        except HTTPError as error:
            raise _refusal(error) from error
        except (URLError, OSError) as error:
            raise UnavailableError(f"{self.base_url} does not answer: {error}") from error


class _Watched:
    """A file that tells how far it was read."""

    def __init__(self, file: IO[bytes], size: int, beat: Beat) -> None:
        self._file, self._size, self._beat = file, size, beat

    def read(self, size: int = -1) -> bytes:
        block = self._file.read(size)
        self._beat(self._file.tell() / max(self._size, 1))
        return block


def _receive(response: HTTPResponse, file: IO[bytes], beat: Beat) -> None:
    size, done = int(response.headers.get("Content-Length") or 0), 0
    while block := response.read(_BLOCK):
        file.write(block)
        done += len(block)
        beat(done / size if size else 0.0)
    if done < size:
        raise UnavailableError(f"the download ended after {done} of {size} bytes")


def _refusal(error: HTTPError) -> ApiError:
    with error:
        try:
            told = json.load(error)["error"]
        except (ValueError, KeyError, TypeError):
            told = {"code": "INTERNAL_ERROR", "message": f"HTTP {error.code}"}
    wait = error.headers.get("Retry-After", "")
    seconds = int(wait) if wait.isdecimal() else None
    return ApiError(error.code, told["code"], told["message"], told.get("details") or {}, seconds)
