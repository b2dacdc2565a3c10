"""SQL on libSQL: statements and atomic batches, run on a thread of their own, one client per process."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Protocol, TypeVar, cast

from libsql_client import LibsqlError, ResultSet

from ethereal.errors import ConflictError, MisconfiguredError, StoreUnavailableError

T = TypeVar("T")
Arguments = Mapping[str, str | int | float | None]
Statement = tuple[str, Arguments]
#: How long a call may take in all, lock waits included.
CALL_SECONDS = 30.0
#: Seconds between the tries of what may be done twice, when answers are lost.
_PAUSES = (0.1, 1.0)

#: Codes of our clients: the connection broke before the answer came; the server will not have us.
ANSWER_LOST, REFUSED = "ANSWER_LOST", "REFUSED"
#: Codes of a token, an account or an address that is wrong: who runs this must act.
_REFUSALS = (REFUSED, "AUTH_", "BLOCKED", "NAMESPACE_")
#: Codes, in a file and on a server, of a statement that is wrong: no retry heals it.
_OUR_FAULT = ("SQLITE_ERROR", "SQLITE_UNKNOWN", "SQL_", "ARGS_")
_CONSTRAINT = "SQLITE_CONSTRAINT"  # followed by the kind in a file, but not on a server


class ConstraintError(ConflictError):
    """A row with this key is there already."""


class AnswerLostError(StoreUnavailableError):
    """The connection broke before the answer came: what was asked was done, or it was not."""


class Reader(Protocol):
    """Answers what changes nothing on the thread that asks, whatever is being written meanwhile."""

    def read(self, sql: str, arguments: Arguments) -> ResultSet: ...

    def close(self) -> None: ...


class _Connection:
    """A client and its event loop on a daemon thread: calls come from any thread, also from a loop's own."""

    def __init__(self, open_client: Callable[[], Any], open_reader: Callable[[], Reader] | None) -> None:
        self.pid = os.getpid()
        self.reader = open_reader() if open_reader else None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="libsql", daemon=True)
        self._thread.start()
        self.client = self.call(_opened(open_client))

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(CALL_SECONDS)
        except BaseException:
            future.cancel()
            raise

    def close(self) -> None:
        if self.reader:
            self.reader.close()
        self.call(self.client.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(CALL_SECONDS)
        self._loop.close()


async def _opened(open_client: Callable[[], Any]) -> Any:
    return open_client()  # clients over the network must be made where their loop runs


class Database:
    """One libSQL database.

    Raises StoreUnavailableError when it does not answer, AnswerLostError when it may have done what was asked
    all the same, MisconfiguredError when it refuses the address or the token.
    """

    def __init__(
        self, open_client: Callable[[], Any], open_reader: Callable[[], Reader] | None = None
    ) -> None:
        self._open = partial(_Connection, open_client, open_reader)
        self._forking = threading.Lock()
        self._connections = [self._open()]

    def execute(self, sql: str, arguments: Arguments | None = None) -> ResultSet:
        return self._run(lambda client: client.execute(sql, dict(arguments or {})))

    def batch(self, statements: Sequence[Statement]) -> Sequence[ResultSet]:
        """Run the statements as one transaction: all or none."""
        return self._run(lambda client: client.batch([(sql, dict(given)) for sql, given in statements]))

    def query(self, sql: str, arguments: Arguments) -> ResultSet:
        """Run a statement that changes nothing; it is sent again when its answer is lost."""
        reader = self._connection().reader
        if reader is None:
            return _repeated(lambda: self.execute(sql, arguments))[0]
        with _errors_of_ours():
            return reader.read(sql, dict(arguments))

    def repeat(self, statements: Sequence[Statement]) -> tuple[Sequence[ResultSet], bool]:
        """Run a batch that may run twice: it is sent again when its answer is lost. Return whether it was."""
        return _repeated(lambda: self.batch(statements))

    def close(self) -> None:
        connection = self._connections[-1]
        if connection.pid == os.getpid():
            connection.close()

    def _run(self, work: Callable[[Any], Coroutine[Any, Any, T]]) -> T:
        with _errors_of_ours():
            connection = self._connection()
            return connection.call(work(connection.client))

    def _connection(self) -> _Connection:
        """This process's own: a thread does not survive a fork. The parent's is kept, never closed here."""
        if self._connections[-1].pid != os.getpid():
            with self._forking:
                if self._connections[-1].pid != os.getpid():
                    self._connections.append(self._open())
        return self._connections[-1]


@contextmanager
def _errors_of_ours() -> Iterator[None]:
    try:
        yield
    except LibsqlError as error:
        raise _translated(error) from error
    except TimeoutError as error:
        raise StoreUnavailableError("the job store did not answer in time") from error
    except sqlite3.Error as error:
        raise StoreUnavailableError(f"the job store cannot be opened: {error}") from error


def _repeated(work: Callable[[], T]) -> tuple[T, bool]:
    for lost, pause in enumerate(_PAUSES):
        try:
            return work(), lost > 0
        except AnswerLostError:
            time.sleep(pause)
    return work(), True


def _translated(error: LibsqlError) -> Exception:
    code = str(error.code)
    if code.startswith(_CONSTRAINT):
        return ConstraintError(str(error))
    if code.startswith(_OUR_FAULT):
        return cast(Exception, error)
    if code == ANSWER_LOST:
        return AnswerLostError(f"the job store was cut off: {error.explanation}")
    if code.startswith(_REFUSALS):
        settings = "ETHEREAL_DATABASE_URL or ETHEREAL_DATABASE_AUTH_TOKEN"
        return MisconfiguredError(f"the job store refuses {settings}: {error.explanation}")
    return StoreUnavailableError(f"the job store does not answer: {error}")


def rows_of(result: ResultSet) -> list[dict[str, Any]]:
    """The rows as mappings from column to value."""
    return [dict(zip(result.columns, cast(Sequence[Any], row), strict=True)) for row in result.rows]
