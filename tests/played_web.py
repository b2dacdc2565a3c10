"""A web on 127.0.0.1 that behaves as badly as a test asks it to."""

from __future__ import annotations

import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from ipaddress import ip_network
from typing import TypeAlias, cast

from ethereal.audio.addresses import AddressRule

Play: TypeAlias = Callable[[socket.socket], None]
"""Answers one request on an open connection, which is closed afterwards."""

LOOPBACK = ip_network("127.0.0.0/8")


class PlayedWeb(socketserver.ThreadingTCPServer):
    """Answers each path by its play; `asked` holds the heads of the requests."""

    daemon_threads = True

    def __init__(self, plays: Mapping[str, Play], tls: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Stage)
        self.plays, self.asked = dict(plays), list[str]()
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True)

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    @property
    def rule(self) -> AddressRule:
        """Lets this web be reached, and nothing else that is private."""
        return AddressRule(allow_http=True, ports=frozenset({self.port}), allowed_networks=(LOOPBACK,))

    def url(self, path: str, host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up, or that does not trust the certificate, is part of the play."""


class _Stage(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        web, connection = cast(PlayedWeb, self.server), cast(socket.socket, self.request)
        head = b""
        while b"\r\n\r\n" not in head and (block := connection.recv(4096)):
            head += block
        if head:
            web.asked.append(head.decode("latin-1"))
            web.plays[head.split()[1].decode()](connection)


@contextmanager
def played_web(plays: Mapping[str, Play], tls: ssl.SSLContext | None = None) -> Iterator[PlayedWeb]:
    with PlayedWeb(plays, tls) as web:
        thread = threading.Thread(target=web.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield web
        finally:
            web.shutdown()
            thread.join()


def answering(body: bytes, status: str = "200 OK", **headers: str | int) -> Play:
    """Say all at once; `headers` are spelt with underscores, and one that is empty is left out."""
    fields = {"content_length": len(body), "content_type": "audio/wav"} | headers
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in fields.items() if value != ""]
    head = "\r\n".join([f"HTTP/1.1 {status}", *lines]) + "\r\n\r\n"
    return lambda connection: connection.sendall(head.encode() + body)


def redirecting(location: str, status: str = "302 Found") -> Play:
    return answering(b"", status, location=location)


def saying(head: bytes, again: bytes, pause: float, stop: threading.Event) -> Play:
    """Say `head`, then `again` and again with a pause between, until the other side hangs up or `stop`."""

    def play(connection: socket.socket) -> None:
        connection.sendall(head)
        while not stop.wait(pause):
            connection.sendall(again)

    return play
