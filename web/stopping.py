"""A web process that is to stop: event streams end, uploads have a while and are then told to come again."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Lock, Timer
from typing import TYPE_CHECKING, BinaryIO

from ethereal.errors import UnavailableError
from web.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class Stopping:
    """Stands between the server and the app, and knows the connections whose requests are being read."""

    def __init__(self, application: WSGIApplication, watch: Watch) -> None:
        self._application = application
        self._watch = watch
        self._over = Event()
        self._reading: set[socket.socket] = set()
        self._lock = Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ["wsgi.input"] = _Body(environ["wsgi.input"], self._over)
        with self._known(environ.get("gunicorn.socket")):
            return self._application(environ, start_response)

    def begin(self, seconds: float) -> None:
        """End event streams now, and what is still being read after that time."""
        self._watch.end()
        timer = Timer(seconds, self._end_reading)
        timer.daemon = True
        timer.start()

    @contextmanager
    def _known(self, connection: socket.socket | None) -> Iterator[None]:
        if connection is None:  # another server's
            yield
            return
        with self._lock:
            self._reading.add(connection)
        try:
            yield
        finally:
            with self._lock:
                self._reading.discard(connection)

    def _end_reading(self) -> None:
        """Wake who waits for bytes; the other direction stays open for the answer."""
        self._over.set()
        with self._lock:
            for connection in self._reading:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RD)


class _Body:
    """The body of a request; once the time is over, reading it says so."""

    def __init__(self, body: BinaryIO, over: Event) -> None:
        self._body, self._over = body, over

    def read(self, size: int = -1) -> bytes:
        data = self._body.read(size)
        if self._over.is_set():
            raise UnavailableError("this server is being restarted: send it again")
        return data

    def readline(self, size: int = -1) -> bytes:
        return self._body.readline(size)

    def readlines(self, hint: int = -1) -> list[bytes]:
        return self._body.readlines(hint)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)
