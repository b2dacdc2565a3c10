"""A libSQL database in a file of this machine.

The package's own file client opens a connection per call, never waits for a lock and begins batches as
readers, so that racing processes fail at once; this one waits and begins as a writer.
"""

from __future__ import annotations

import sqlite3
import time
from functools import partial
from pathlib import Path
from typing import Any

from libsql_client import ResultSet
from libsql_client.sqlite3_utils import Sqlite3Client, _execute_stmt

from ethereal.errors import StoreUnavailableError
from ethereal.jobs.database import Database

_LOCK_SECONDS = 15.0


class _FileClient(Sqlite3Client):  # type: ignore[misc]  # the package is not typed
    """libsql-client on a local file, on one connection that waits for locks."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self._kept: sqlite3.Connection | None = None

    def _connect(self) -> sqlite3.Connection:
        if self._kept is None:
            connection = sqlite3.connect(
                self._path, isolation_level=None, check_same_thread=False, timeout=_LOCK_SECONDS
            )
            _use_wal(connection)
            connection.execute("PRAGMA synchronous=NORMAL")
            self._kept = connection
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
    return Database(partial(_FileClient, str(path)))
