"""A door to the public internet on 127.0.0.1, for a child process that opens addresses by itself."""

from __future__ import annotations

import selectors
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import cast

from ethereal.audio.addresses import AddressRule, read_address
from ethereal.audio.pace import LOOK_SECONDS, OVERHEAD_BYTES, too_large
from ethereal.audio.source import Resolver, open_connection
from ethereal.errors import EtherealError, InvalidInputError

CONNECT_SECONDS = 10.0
_BLOCK = 1 << 16
_LONGEST_LINE = 8192
_MOST_HEADERS = 100


class GuardedProxy(socketserver.ThreadingTCPServer):
    """Speaks CONNECT alone: TLS to public addresses, `max_bytes` in all, nothing else.

    `refusal` is the first error it answered with; `reached` counts the tunnels that were opened.
    """

    request_queue_size = 64

    def __init__(self, rule: AddressRule, resolver: Resolver, max_bytes: int) -> None:
        super().__init__(("127.0.0.1", 0), _Door)
        self.rule, self.resolver, self.max_bytes = rule, resolver, max_bytes
        self.refusal: EtherealError | None = None
        self.reached = self.carried = 0
        self.closed = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def refuse(self, error: EtherealError) -> None:
        self.refusal = self.refusal or error

    def carry(self, count: int) -> None:
        """Count bytes that came in. Raise TooLargeError when they are too many."""
        self.carried += count
        if self.carried > self.max_bytes + OVERHEAD_BYTES:
            raise too_large(self.max_bytes)


@contextmanager
def open_guarded_proxy(rule: AddressRule, resolver: Resolver, *, max_bytes: int) -> Iterator[GuardedProxy]:
    """Serve until the end of the block; no tunnel outlives it."""
    with GuardedProxy(rule, resolver, max_bytes) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, args=(LOOK_SECONDS,))
        thread.start()
        try:
            yield proxy
        finally:
            proxy.closed.set()
            proxy.shutdown()
            thread.join()


class _Door(socketserver.StreamRequestHandler):
    timeout = CONNECT_SECONDS

    def handle(self) -> None:
        proxy = cast(GuardedProxy, self.server)
        try:
            with closing(self._connect(proxy)) as outside:
                self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                proxy.reached += 1
                self._relay(proxy, outside)
        except InvalidInputError as error:
            proxy.refuse(error)
            self._answer(b"HTTP/1.1 403 Forbidden\r\n\r\n")
        except EtherealError as error:
            proxy.refuse(error)
            self._answer(b"HTTP/1.1 502 Bad Gateway\r\n\r\n")
        except OSError:
            return  # one of the two hung up

    def _connect(self, proxy: GuardedProxy) -> socket.socket:
        method, _, rest = self.rfile.readline(_LONGEST_LINE).decode("latin-1").partition(" ")
        for _ in range(_MOST_HEADERS):
            if self.rfile.readline(_LONGEST_LINE) in (b"\r\n", b"\n", b""):
                break
        if method != "CONNECT":
            raise InvalidInputError("Only TLS connections go through this proxy.")
        address = read_address(f"https://{rest.partition(' ')[0]}", proxy.rule)
        return open_connection(
            address.host, address.port, rule=proxy.rule, resolver=proxy.resolver, seconds=CONNECT_SECONDS
        )

    def _relay(self, proxy: GuardedProxy, outside: socket.socket) -> None:
        """Carry bytes both ways until one side ends or the door closes."""
        inside = self.connection
        with selectors.DefaultSelector() as selector:
            selector.register(outside, selectors.EVENT_READ, inside)
            selector.register(inside, selectors.EVENT_READ, outside)
            while not proxy.closed.is_set():
                for key, _ in selector.select(LOOK_SECONDS):
                    block = cast(socket.socket, key.fileobj).recv(_BLOCK)
                    if not block:
                        return
                    if key.fileobj is outside:
                        proxy.carry(len(block))
                    cast(socket.socket, key.data).sendall(block)

    def _answer(self, line: bytes) -> None:
        try:
            self.wfile.write(line)
        except OSError:
            return
