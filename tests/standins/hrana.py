"""A libSQL server on this machine: Hrana pipelines over HTTP on SQLite, as Turso's cloud offers them.

Like that cloud it refuses WebSockets and the older /v1. A stream is one SQLite connection; its batons are
signed, work once, and die with the stream after some idle seconds. Latency and faults are made on demand.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import os
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Coroutine, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from aiohttp import web

from ethereal.embedded.ports import hold_free_port

#: unavailable: 503. cut: no answer, nothing done. lost: no answer, but all was done. hang: nothing at all.
FaultKind = Literal["unavailable", "cut", "lost", "hang"]


class HranaError(Exception):
    def __init__(self, message: str, code: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.status = code, status

    def told(self) -> dict[str, str]:
        return {"message": str(self), "code": self.code}


class Stream:
    """One logical connection to the database."""

    def __init__(self, path: Path) -> None:
        self.database = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
        self.database.execute("PRAGMA foreign_keys=ON")
        self.database.execute("PRAGMA synchronous=OFF")
        self.turn, self.used_at, self.lock = 0, time.monotonic(), asyncio.Lock()

    def close(self) -> None:
        if self.database.in_transaction:
            self.database.rollback()
        self.database.close()

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        kind = request["type"]
        if kind == "execute":
            return {"type": kind, "result": self._execute(request["stmt"])}
        if kind == "batch":
            return {"type": kind, "result": self._batch(request["batch"]["steps"])}
        if kind == "get_autocommit":
            return {"type": kind, "is_autocommit": not self.database.in_transaction}
        raise HranaError(f"unknown request {kind}", "HRANA_PROTO_ERROR")

    def _execute(self, stmt: dict[str, Any]) -> dict[str, Any]:
        named = {
            given["name"].lstrip(":@$"): _decoded(given["value"]) for given in stmt.get("named_args") or []
        }
        before = self.database.total_changes
        try:
            cursor = self.database.execute(
                stmt["sql"], named or [_decoded(given) for given in stmt.get("args") or []]
            )
            rows = cursor.fetchall() if cursor.description else []
        except sqlite3.Error as error:
            raise _as_told_by_sqld(error) from error
        return {
            "cols": [{"name": column[0], "decltype": None} for column in cursor.description or []],
            "rows": [[_encoded(value) for value in row] for row in rows]
            if stmt.get("want_rows", True)
            else [],
            "affected_row_count": self.database.total_changes - before,
            "last_insert_rowid": None if cursor.lastrowid is None else str(cursor.lastrowid),
        }

    def _batch(self, steps: list[dict[str, Any]]) -> dict[str, Any]:
        results: list[dict[str, Any] | None] = []
        errors: list[dict[str, str] | None] = []
        for step in steps:
            result = error = None
            if step.get("condition") is None or self._holds(step["condition"], results, errors):
                try:
                    result = self._execute(step["stmt"])
                except HranaError as failed:
                    error = failed.told()
            results.append(result)
            errors.append(error)
        return {"step_results": results, "step_errors": errors}

    def _holds(self, condition: dict[str, Any], results: list[Any], errors: list[Any]) -> bool:
        kind = condition["type"]
        if kind in ("ok", "error"):
            return (results if kind == "ok" else errors)[condition["step"]] is not None
        if kind == "not":
            return not self._holds(condition["cond"], results, errors)
        if kind in ("and", "or"):
            parts = [self._holds(part, results, errors) for part in condition["conds"]]
            return all(parts) if kind == "and" else any(parts)
        if kind == "is_autocommit":
            return not self.database.in_transaction
        raise HranaError(f"unknown condition {kind}", "HRANA_PROTO_ERROR")


@dataclass
class HranaStandIn:
    """A running stand-in. It can be stopped and started again at the same address; its data stays."""

    path: Path
    port: int
    token: str | None = None
    idle_seconds: float = 10.0
    latency: float = 0.0  #: seconds before each answer
    asked: list[str] = field(default_factory=list)  #: paths, one for each round trip
    most_at_once: int = 0  #: round trips that were under way together
    _under_way: int = 0
    _fates: deque[FaultKind | None] = field(default_factory=deque)
    _streams: dict[str, Stream] = field(default_factory=dict)
    _key: bytes = field(default_factory=lambda: os.urandom(16))
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def open_streams(self) -> int:
        return len(self._streams)

    def fail(self, kind: FaultKind, *, times: int = 1, after: int = 0) -> None:
        """Let `times` requests fail once `after` more have gone well."""
        self._fates.extend([None] * after + [kind] * times)

    def heal(self) -> None:
        self._fates.clear()

    def start(self) -> None:
        self._call(self._start())

    def stop(self) -> None:
        """Break off every connection and forget every stream, as a server that goes down does."""
        self._call(self._stop())

    def close(self) -> None:
        self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)

    def run(self) -> None:
        self._loop.run_forever()
        self._loop.close()

    def _call(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _start(self) -> None:
        app = web.Application(client_max_size=64 << 20)
        app.router.add_get("/health", _healthy)
        app.router.add_get("/", _no_web_socket)
        for version in ("v2", "v3"):
            app.router.add_post(f"/{version}/pipeline", self._pipeline)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()

    async def _stop(self) -> None:
        if self._runner:
            await self._runner.cleanup()
        self._runner = None
        for stream in self._streams.values():
            stream.close()
        self._streams.clear()

    async def _pipeline(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        self._under_way += 1
        self.most_at_once = max(self.most_at_once, self._under_way)
        try:
            return await self._answer_to(request)
        finally:
            self._under_way -= 1

    async def _answer_to(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        fate = self._fates.popleft() if self._fates else None
        await asyncio.sleep(3600 if fate == "hang" else self.latency)
        if fate == "unavailable":
            return web.json_response({"error": "upstream is away"}, status=503)
        try:
            if fate == "cut":
                return _break_off(request)
            self._check_token(request)
            answer = await self._work(body)
        except HranaError as error:
            return web.json_response(error.told(), status=error.status)
        return _break_off(request) if fate == "lost" else web.json_response(answer)

    def _check_token(self, request: web.Request) -> None:
        if self.token and request.headers.get("authorization") != f"Bearer {self.token}":
            raise HranaError("Authentication failed: The JWT is invalid", "AUTH_JWT_INVALID", 401)

    async def _work(self, body: dict[str, Any]) -> dict[str, Any]:
        name, stream = self._stream(body.get("baton"))
        results, closed = [], False
        async with stream.lock:
            for request in body["requests"]:
                if request["type"] == "close":
                    closed = True
                    results.append({"type": "ok", "response": {"type": "close"}})
                    continue
                try:
                    answer = await asyncio.to_thread(stream.answer, request)
                    results.append({"type": "ok", "response": answer})
                except HranaError as error:
                    results.append({"type": "error", "error": error.told()})
            stream.turn, stream.used_at = stream.turn + 1, time.monotonic()
            if closed:
                self._streams.pop(name).close()
        baton = None if closed else self._baton(name, stream.turn)
        return {"baton": baton, "base_url": None, "results": results}

    def _stream(self, baton: str | None) -> tuple[str, Stream]:
        self._drop_idle()
        if baton is None:
            name = os.urandom(8).hex()
            self._streams[name] = Stream(self.path)
            return name, self._streams[name]
        name, turn, *_ = [*baton.split("."), "", ""]
        if not hmac.compare_digest(baton, self._baton(name, int(turn or 0))):
            raise HranaError("Received an invalid baton", "BATON_INVALID")
        if name not in self._streams:
            raise HranaError("The stream has expired due to inactivity", "STREAM_EXPIRED")
        if int(turn) != self._streams[name].turn:
            raise HranaError("Received a baton that was already used", "BATON_REUSED")
        return name, self._streams[name]

    def _drop_idle(self) -> None:
        """A transaction that its stream left open is rolled back then."""
        oldest = time.monotonic() - self.idle_seconds
        for name, stream in list(self._streams.items()):
            if stream.used_at < oldest and not stream.lock.locked():
                self._streams.pop(name).close()

    def _baton(self, name: str, turn: int) -> str:
        signed = f"{name}.{turn}"
        return f"{signed}.{hmac.new(self._key, signed.encode(), hashlib.sha256).hexdigest()[:32]}"


@contextmanager
def open_hrana(path: Path, *, token: str | None = None) -> Iterator[HranaStandIn]:
    """Run a stand-in on 127.0.0.1 over the SQLite file at `path`, on a port of its own."""
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode=WAL")
    with hold_free_port("127.0.0.1", 0) as port:
        stand_in = HranaStandIn(path, port, token)
        thread = threading.Thread(target=stand_in.run, name="hrana", daemon=True)
        thread.start()
        stand_in.start()
        try:
            yield stand_in
        finally:
            stand_in.close()
            thread.join()


async def _healthy(request: web.Request) -> web.Response:
    return web.Response(text="ok")


async def _no_web_socket(request: web.Request) -> web.Response:
    return web.Response(status=505)


def _break_off(request: web.Request) -> web.Response:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


def _decoded(value: dict[str, Any]) -> Any:
    kind = value["type"]
    if kind == "blob":
        return base64.b64decode(value["base64"] + "==")
    return {"null": lambda _: None, "integer": int, "float": float, "text": str}[kind](value.get("value"))


def _encoded(value: Any) -> dict[str, Any]:
    if value is None:
        return {"type": "null"}
    if isinstance(value, bytes):
        return {"type": "blob", "base64": base64.b64encode(value).decode().rstrip("=")}
    if isinstance(value, int):
        return {"type": "integer", "value": str(value)}
    return {"type": "float" if isinstance(value, float) else "text", "value": value}


def _as_told_by_sqld(error: sqlite3.Error) -> HranaError:
    """Primary codes alone, and UNKNOWN for a plain error: sqld names them so."""
    code = "_".join(getattr(error, "sqlite_errorname", "SQLITE_ERROR").split("_")[:2])
    return HranaError(f"SQLite error: {error}", "SQLITE_UNKNOWN" if code == "SQLITE_ERROR" else code)
