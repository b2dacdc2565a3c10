"""Large transfers in equal parts, several at once, under one beat."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING, BinaryIO, TypeVar

from ethereal.beat import Beat

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

T = TypeVar("T")

_AT_ONCE = 4
_BEAT_SECONDS = 0.5
_MIB = 1 << 20
#: The most that S3 and R2 take in one piece.
ONE_PIECE = 5 << 30
#: More parts than this no S3 server takes.
_MOST_PARTS = 10_000


class StoppedError(BaseException):
    """Ends a part that nobody waits for. No Exception: a client library would try the part again."""


@dataclass(frozen=True)
class Part:
    """Bytes `start <= offset < end` of an object; parts are numbered from 1."""

    number: int
    start: int
    size: int

    @property
    def end(self) -> int:
        return self.start + self.size


def parts_of(size: int, part_size: int) -> list[Part]:
    """Cut `size` bytes into parts of one size, the last one smaller; larger ones rather than too many."""
    step = part_size
    if size > part_size * _MOST_PARTS:
        step = (size // _MOST_PARTS // _MIB + 1) * _MIB
    return [
        Part(number, start, min(step, size - start)) for number, start in enumerate(range(0, size, step), 1)
    ]


def run_parts(work: Callable[[Part, Event], T], parts: Sequence[Part], *, beat: Beat) -> list[T]:
    """Work on the parts on threads and return what each gave, in order.

    The beat is called on this thread, also while nothing moves. When it or a part raises, the event is set,
    which every part must look at, and nothing runs any more once this raises.
    """
    stop = Event()
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="part") as pool:
        sizes = {pool.submit(work, part, stop): part.size for part in parts}
        try:
            _follow(sizes, beat)
        except BaseException:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [future.result() for future in sizes]


def _follow(sizes: dict[Future[T], int], beat: Beat) -> None:
    """Wait for the parts; the beat is called for each that ended, and while none does."""
    total, done, pending = sum(sizes.values()), 0, set(sizes)
    while pending:
        ended, pending = wait(pending, timeout=_BEAT_SECONDS, return_when=FIRST_COMPLETED)
        for future in ended:
            future.result()
        for size in [sizes[future] for future in ended] or [0]:
            done += size
            beat(done / total if total else 1.0)


class Section(io.RawIOBase):
    """One part of a file as a seekable stream; reading it ends the part once `stop` is set."""

    def __init__(self, file: BinaryIO, part: Part, stop: Event) -> None:
        self.part = part
        self._file, self._stop, self._at = file.fileno(), stop, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self.part.size}[whence]
        return self._at

    def readinto(self, buffer: WriteableBuffer) -> int:
        if self._stop.is_set():
            raise StoppedError
        view = memoryview(buffer).cast("B")
        wanted = min(len(view), self.part.size - self._at)
        count = os.preadv(self._file, [view[:wanted]], self.part.start + self._at)
        self._at += count
        return count

    def md5(self) -> bytes:
        digest = hashlib.file_digest(self, lambda: hashlib.md5(usedforsecurity=False))
        self.seek(0)
        return digest.digest()
