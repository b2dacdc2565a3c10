"""A libSQL database in a file of this machine.

The package's own file client opens a connection per call, never waits for a lock and begins batches as
readers, so that racing processes fail at once; this one waits and begins as a writer.
"""

from __future__ import annotations

import sqlite3
import time
from collections import deque
from functools import partial
from pathlib import Path
from typing import Any

from libsql_client import ResultSet
from libsql_client.sqlite3_utils import Sqlite3Client, _execute_stmt

from ethereal.errors import StoreUnavailableError
from ethereal.jobs.database import Arguments, Database

_LOCK_SECONDS = 15.0
_IDLE_READERS = 8  # kept open for the next callers


class _FileClient(Sqlite3Client):  # type: ignore[misc]  # the package is not typed
    """libsql-client on a local file, on one connection that waits for locks."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self._kept: sqlite3.Connection | None = None

    def _connect(self) -> sqlite3.Connection:
        if self._kept is None:
            self._kept = _connect(self._path)
            self._kept.execute("PRAGMA synchronous=NORMAL")
        return self._kept

    async def execute(self, stmt: Any, args: Any = None) -> ResultSet:
        return _execute_stmt(self._connect(), stmt, args)

    async def batch(self, stmts: Any) -> list[ResultSet]:
        connection = self._connect()
        _execute_stmt(connection, "BEGIN IMMEDIATE")
        try:
            results = [_execute_stmt(connection, stmt) for stmt in stmts]
            _execute_stmt(connection, "COMMIT")
        except BaseException:
            connection.rollback()
            raise
        return results

    async def close(self) -> None:
        if self._kept is not None:
            self._kept.close()
            self._kept = None
        await super().close()


class _FileReader:
    """Connections that only read, each lent to one caller at a time.

    Readers do not wait for writers, and a web process that stores a job goes on to answer all others.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._idle: deque[sqlite3.Connection] = deque()

    def read(self, sql: str, arguments: Arguments) -> ResultSet:
        connection = self._taken()
        try:
            answer = _execute_stmt(connection, sql, dict(arguments))
        except BaseException:
            connection.close()
            raise
        self._put_back(connection)
        return answer

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()

    def _taken(self) -> sqlite3.Connection:
        try:
            return self._idle.pop()
        except IndexError:
            connection = _connect(self._path)
            connection.execute("PRAGMA query_only=ON")
            return connection

    def _put_back(self, connection: sqlite3.Connection) -> None:
        if len(self._idle) < _IDLE_READERS:
            self._idle.append(connection)
        else:
            connection.close()


def _connect(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=_LOCK_SECONDS)
    _use_wal(connection)
    return connection


def _use_wal(connection: sqlite3.Connection) -> None:
    """Let readers go on beside a writer. SQLite itself never waits for the lock that this change needs."""
    give_up = time.monotonic() + _LOCK_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > give_up:
                raise
            time.sleep(0.02)
        else:
            return


def open_file_database(path: Path) -> Database:
    """A database in a local file, made when it is not there."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnavailableError(f"cannot make {path.parent}: {error}") from error
    return Database(partial(_FileClient, str(path)), partial(_FileReader, str(path)))
