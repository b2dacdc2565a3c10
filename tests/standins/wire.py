"""A wire between Redis and its clients, or any server and its, that fails at the moment a test chooses.

It reads RESP only as far as it must: which requests wait on a list (BRPOP), and where their replies end.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

_BLOCK = 1 << 16
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close with RST
_BULK, _AGGREGATES = b"$=!", b"*~>%"


def frame_end(data: bytes, start: int = 0) -> int | None:
    """Where the RESP value that begins at `start` ends; None while it is not whole."""
    line_end = data.find(b"\r\n", start)
    if line_end < 0:
        return None
    kind, end = data[start : start + 1], line_end + 2
    if kind in _BULK:
        size = int(data[start + 1 : line_end])
        end += size + 2 if size >= 0 else 0
        return end if end <= len(data) else None
    if kind in _AGGREGATES:
        count = int(data[start + 1 : line_end]) * (2 if kind == b"%" else 1)
        for _ in range(count):
            inner = frame_end(data, end)
            if inner is None:
                return None
            end = inner
    return end


def is_pop(request: bytes) -> bool:
    """Whether a request waits for a list to give something up."""
    return b"\r\nBRPOP\r\n" in request[:40].upper()


def has_popped(reply: bytes) -> bool:
    """Whether the reply to such a request carries a message."""
    return reply[:1] in _AGGREGATES and not reply.startswith((b"*-1", b"*0"))


@dataclass(eq=False)
class _Connection:
    """One client's way to the server."""

    wire: Wire
    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    asked: list[bool] = field(default_factory=list)  #: of each request without a reply: whether it pops
    silent: bool = False

    async def to_server(self, reader: asyncio.StreamReader) -> None:
        rest = b""
        while block := await reader.read(_BLOCK):
            rest = self._read(rest + block, lambda frame: self.asked.append(is_pop(frame)))
            if not self.silent:
                self.server.write(block)
                await self.server.drain()

    async def to_client(self, reader: asyncio.StreamReader) -> None:
        rest = b""
        while block := await reader.read(_BLOCK):
            popped: list[bool] = []
            rest = self._read(rest + block, lambda frame, popped=popped: popped.append(self._pops(frame)))
            if any(popped) and self.wire.take_cut():
                return self.reset()
            if not self.silent:
                self.client.write(block)
                await self.client.drain()

    def _pops(self, reply: bytes) -> bool:
        """Whether this reply hands out a message; what the server says unasked answers nothing."""
        asked = bool(self.asked) and reply[:1] != b">" and self.asked.pop(0)
        return asked and has_popped(reply)

    def _read(self, data: bytes, told: Callable[[bytes], None]) -> bytes:
        if not self.wire.speaks_resp:
            return b""
        start = 0
        while start < len(data) and (end := frame_end(data, start)) is not None:
            told(data[start:end])
            start = end
        return data[start:]

    def reset(self) -> None:
        """Break off at both ends, with nothing that was on its way."""
        for writer in (self.client, self.server):
            with contextlib.suppress(OSError):
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            writer.transport.abort()


@dataclass
class Wire:
    """A TCP proxy on 127.0.0.1. All its faults may come at any time, from any thread."""

    target: int  #: the port of the server
    speaks_resp: bool = True
    port: int = 0
    accepted: int = 0  #: connections that were taken so far
    cuts: int = 0  #: replies that were cut so far
    _cut_next: int = 0
    _hangs: bool = False
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _server: asyncio.Server | None = None
    _connections: set[_Connection] = field(default_factory=set)
    _hung: list[asyncio.StreamWriter] = field(default_factory=list)

    def cut_pops(self, times: int = 1) -> None:
        """Reset the connection at each of the next BRPOP replies that carry a message: it left the server."""
        self._cut_next = times

    def reset(self) -> None:
        """Break every connection off; new ones go through."""
        self._call(self._each(_Connection.reset))

    def silence(self) -> None:
        """Let every connection there is go dead: open at both ends, and nothing passes. New ones work."""
        self._call(self._each(lambda connection: setattr(connection, "silent", True)))

    def hang(self) -> None:
        """Let every connection go dead, and take new ones without an answer, until `heal`."""
        self._hangs = True
        self.silence()

    def refuse(self) -> None:
        """Break every connection off and take no new one, until `heal`."""
        self._call(self._close())
        self.reset()

    def heal(self) -> None:
        """Take connections again; what went dead is reset."""
        self._hangs, self._cut_next = False, 0
        self._call(self._each(lambda connection: connection.silent and connection.reset()))
        self._call(self._open())

    @property
    def waiting(self) -> int:
        """Connections that were taken and get no answer."""
        return len(self._hung)

    def take_cut(self) -> bool:
        if self._cut_next <= 0:
            return False
        self._cut_next -= 1
        self.cuts += 1
        return True

    # the loop's own thread

    def run(self) -> None:
        self._loop.run_forever()
        self._loop.run_until_complete(self._end())
        self._loop.close()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)

    def _call(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _open(self) -> None:
        for writer in self._hung:
            writer.transport.abort()
        self._hung.clear()
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
            self.port = int(self._server.sockets[0].getsockname()[1])

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
        self._server = None

    async def _each(self, act: Callable[[_Connection], object]) -> None:
        for connection in list(self._connections):
            act(connection)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        if self._hangs:
            self._hung.append(writer)
            return
        try:
            from_server, server = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        connection = _Connection(self, writer, server)
        self._connections.add(connection)
        ways = [
            asyncio.ensure_future(connection.to_server(reader)),
            asyncio.ensure_future(connection.to_client(from_server)),
        ]
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        await self._forget(connection, ways)

    async def _forget(self, connection: _Connection, ways: list[asyncio.Task[None]]) -> None:
        self._connections.discard(connection)
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        for writer in (connection.client, connection.server):
            writer.close()

    async def _end(self) -> None:
        await self._close()
        await self._each(_Connection.reset)
        for writer in self._hung:
            writer.transport.abort()
        rest = [task for task in asyncio.all_tasks(self._loop) if task is not asyncio.current_task()]
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)


@contextmanager
def open_wire(target: int, *, speaks_resp: bool = True) -> Iterator[Wire]:
    """Run a wire to `target` on a port of its own."""
    wire = Wire(target, speaks_resp)
    thread = threading.Thread(target=wire.run, name="wire", daemon=True)
    thread.start()
    wire.heal()
    try:
        yield wire
    finally:
        wire.stop()
        thread.join()
