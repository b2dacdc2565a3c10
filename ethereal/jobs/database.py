"""SQL on libSQL: statements and atomic batches, run on a thread of their own, one client per process.

The package's own file client opens a connection per call, never waits for a lock and begins batches as
readers, so that racing processes fail at once; `_FileClient` waits and begins as a writer.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

from libsql_client import LibsqlError, ResultSet
from libsql_client.sqlite3_utils import Sqlite3Client, _execute_stmt

from ethereal.errors import ConflictError, StoreUnavailableError

T = TypeVar("T")
Arguments = Mapping[str, str | int | float | None]
Statement = tuple[str, Arguments]
#: How long a call may take in all, lock waits included.
CALL_SECONDS = 30.0


class ConstraintError(ConflictError):
    """A row with this key is there already."""


class _FileClient(Sqlite3Client):  # type: ignore[misc]  # the package is not typed
    """libsql-client on a local file, on one connection that waits for locks."""

    _lock_seconds = 15.0

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self._kept: sqlite3.Connection | None = None

    def _connect(self) -> sqlite3.Connection:
        if self._kept is None:
            self._kept = sqlite3.connect(
                self._path, isolation_level=None, check_same_thread=False, timeout=self._lock_seconds
            )
            self._kept.execute("PRAGMA journal_mode=WAL")
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


class _Loop:
    """An event loop on a daemon thread: calls come from any thread, also one that runs a loop itself."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="libsql", daemon=True)
        self._thread.start()

    def call(self, work: Coroutine[Any, Any, T], seconds: float) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(seconds)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(CALL_SECONDS)
        self._loop.close()


class Database:
    """One libSQL database. Raises StoreUnavailableError when it does not answer."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._loop = _Loop()

    def execute(self, sql: str, arguments: Arguments | None = None) -> ResultSet:
        return self._run(self._client.execute(sql, dict(arguments or {})))

    def batch(self, statements: Sequence[Statement]) -> Sequence[ResultSet]:
        """Run the statements as one transaction: all or none."""
        return self._run(self._client.batch([(sql, dict(arguments)) for sql, arguments in statements]))

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        try:
            return self._loop.call(work, CALL_SECONDS)
        except LibsqlError as error:
            if error.code.startswith("SQLITE_CONSTRAINT"):
                raise ConstraintError(str(error)) from error
            if error.code == "SQLITE_ERROR":  # our own statement is wrong: no retry heals it
                raise
            raise StoreUnavailableError(f"the job store does not answer: {error}") from error
        except TimeoutError as error:
            raise StoreUnavailableError(f"the job store did not answer in {CALL_SECONDS:.0f} s") from error
        except sqlite3.Error as error:
            raise StoreUnavailableError(f"the job store cannot be opened: {error}") from error

    def close(self) -> None:
        self._loop.call(self._client.close(), CALL_SECONDS)
        self._loop.close()


def open_file_database(path: Path) -> Database:
    """A database in a local file, made when it is not there."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnavailableError(f"cannot make {path.parent}: {error}") from error
    return Database(_FileClient(str(path)))


def rows_of(result: ResultSet) -> list[dict[str, Any]]:
    """The rows as mappings from column to value."""
    return [dict(zip(result.columns, cast(Sequence[Any], row), strict=True)) for row in result.rows]
