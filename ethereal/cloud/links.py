"""Files through signed links, with the standard library alone: patient with a store that is away."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import IO, TypeVar, cast
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from ethereal.beat import Beat, no_beat
from ethereal.dispatch.messages import PutLink
from ethereal.errors import NotFoundError, StorageUnavailableError, TooLargeError, UnavailableError
from ethereal.storage.parts import ONE_PIECE
from ethereal.whole import whole_file

_BLOCK = 1 << 20
T = TypeVar("T")


@dataclass(frozen=True)
class Patience:
    """How long to go on trying, in seconds, with waits that double; `answer` bounds one wait for it."""

    total: float = 300.0
    first: float = 0.5
    most: float = 30.0
    answer: float = 60.0
    sleep: Callable[[float], object] = time.sleep
    clock: Callable[[], float] = time.monotonic

    def keep_trying(self, call: Callable[[], T], beat: Beat = no_beat) -> T:
        """Call until it raises no UnavailableError, or the last one when the time is up."""
        deadline, wait = self.clock() + self.total, self.first
        while True:
            try:
                return call()
            except UnavailableError:
                if self.clock() + wait > deadline:
                    raise
            self.sleep(wait)
            beat(0.0)
            wait = min(2 * wait, self.most)


def fetch(url: str, target: Path, *, patience: Patience, beat: Beat = no_beat) -> Path:
    """Read what the link leads to, whole or not at all.

    Raise NotFoundError when nothing is there, StorageUnavailableError when store or link do not hold.
    """

    def once() -> Path:
        with open_link("GET", url, patience) as response, whole_file(target) as partial:
            _receive(response, partial, beat)
        return target

    return patience.keep_trying(once, beat)


def put(link: PutLink, source: Path, *, patience: Patience, beat: Beat = no_beat) -> None:
    """Store the file where the link says. Raise TooLargeError, or as `fetch` does."""
    size = source.stat().st_size
    if size > ONE_PIECE:
        raise TooLargeError(f"{source.name} has {size} bytes: a link takes {ONE_PIECE} at most")

    def once() -> None:
        with source.open("rb") as file:
            body = cast(IO[bytes], _Watched(file, size, beat))
            headers = {**link.headers, "Content-Length": str(size)}
            open_link("PUT", link.url, patience, body=body, headers=headers).close()

    patience.keep_trying(once, beat)


def open_link(
    method: str,
    url: str,
    patience: Patience,
    *,
    body: IO[bytes] | None = None,
    headers: Mapping[str, str] | None = None,
) -> HTTPResponse:
    """Open a link of the object store once."""
    request = Request(url, data=body, headers=dict(headers or {}), method=method)  # noqa: S310 — we signed it
    try:
        return cast(HTTPResponse, urlopen(request, timeout=patience.answer))  # noqa: S310
    except HTTPError as error:
        error.close()
        if error.code == 404:
            raise NotFoundError("a link leads to nothing") from error
        raise StorageUnavailableError(f"the object store answers {error.code}") from error
    except (URLError, HTTPException, OSError) as error:
        raise StorageUnavailableError(f"the object store does not answer: {error}") from error


class _Watched:
    """A file that tells how far it was read."""

    def __init__(self, file: IO[bytes], size: int, beat: Beat) -> None:
        self._file, self._size, self._beat = file, size, beat

    def read(self, size: int = -1) -> bytes:
        block = self._file.read(min(size, _BLOCK) if size > 0 else _BLOCK)
        self._beat(self._file.tell() / max(self._size, 1))
        return block


def _receive(response: HTTPResponse, target: Path, beat: Beat) -> None:
    size, done = int(response.headers.get("Content-Length") or 0), 0
    try:
        with target.open("wb") as file:
            while block := response.read(_BLOCK):
                file.write(block)
                done += len(block)
                beat(done / size if size else 0.0)
    except (HTTPException, OSError) as error:
        raise StorageUnavailableError(f"a download broke off: {error}") from error
    if done < size:
        raise StorageUnavailableError(f"a download ended after {done} of {size} bytes")
