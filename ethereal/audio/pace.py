"""Watches a transfer: in time, fast enough, not too much. Every wait for the network is many short ones."""

from __future__ import annotations

import io
import socket
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from ethereal.beat import Beat, no_beat
from ethereal.errors import TimeLimitError, TooLargeError, UnavailableError

if TYPE_CHECKING:
    from typing_extensions import Buffer

LOOK_SECONDS = 0.25
#: Headers, and what TLS or chunks add, may come on top of the limit for the file.
OVERHEAD_BYTES = 1 << 20


@dataclass(frozen=True)
class FetchLimits:
    """How much may be fetched and how long it may take: at least `least_bytes` in every `window`."""

    max_bytes: int
    timeout: timedelta = timedelta(minutes=5)
    connect_timeout: timedelta = timedelta(seconds=10)
    least_bytes: int = 20_000
    window: timedelta = timedelta(seconds=20)


class Pace:
    """The clock and the counter of one transfer; `expected` bytes make the beat's whole."""

    def __init__(self, limits: FetchLimits, beat: Beat = no_beat) -> None:
        self.expected = limits.max_bytes
        self._limits, self._beat = limits, beat
        self._deadline = time.monotonic() + limits.timeout.total_seconds()
        self._window_ends = time.monotonic() + limits.window.total_seconds()
        self._heard = self._heard_before_window = 0

    def seconds_to_connect(self) -> float:
        """How long the next connection may take. Raise TimeLimitError when there is no time left."""
        self.look()
        return min(self._limits.connect_timeout.total_seconds(), self._deadline - time.monotonic())

    def hear(self, count: int) -> None:
        """Count bytes from the network. Raise TooLargeError when they are too many."""
        self._heard += count
        if self._heard > self._limits.max_bytes + OVERHEAD_BYTES:
            raise too_large(self._limits.max_bytes)
        self.look()

    def look(self) -> None:
        """Tell the beat. Raise TimeLimitError or UnavailableError when it takes too long."""
        self._beat(min(self._heard / self.expected, 1.0) if self.expected else 0.0)
        now = time.monotonic()
        if now >= self._deadline:
            seconds = self._limits.timeout.total_seconds()
            raise TimeLimitError(f"The file could not be fetched within {seconds:g} seconds.")
        if now >= self._window_ends:
            if self._heard - self._heard_before_window < self._limits.least_bytes:
                raise UnavailableError("The other side sends nothing, or too slowly.")
            self._heard_before_window = self._heard
            self._window_ends = now + self._limits.window.total_seconds()


class PacedSocket:
    """As much of a socket as an HTTP answer needs, read at a pace."""

    def __init__(self, connection: socket.socket, pace: Pace) -> None:
        self._connection, self._pace = connection, pace

    def send(self, request: bytes) -> None:
        try:
            self._connection.sendall(request)
        except OSError as error:
            raise broken_off() from error
        self._connection.settimeout(LOOK_SECONDS)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_PacedReader(self._connection, self._pace), buffer_size=1 << 16)


class _PacedReader(io.RawIOBase):
    def __init__(self, connection: socket.socket, pace: Pace) -> None:
        self._connection, self._pace = connection, pace

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer) -> int:
        while True:
            try:
                count = self._connection.recv_into(buffer)
            except TimeoutError:
                self._pace.look()
                continue
            except OSError as error:
                raise broken_off() from error
            self._pace.hear(count)
            return count


def too_large(max_bytes: int) -> TooLargeError:
    return TooLargeError(f"The file is larger than the limit of {max_bytes / 2**20:g} MiB.")


def broken_off() -> UnavailableError:
    return UnavailableError("The connection broke off.")
