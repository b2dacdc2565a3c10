"""The job store in a file of this machine: who reads does not wait for who writes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from ethereal.errors import StoreUnavailableError
from ethereal.jobs.file_database import open_file_database
from ethereal.jobs.migrate import migrate
from ethereal.jobs.sql import SqlJobStore
from tests.builders import add_to


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "jobs.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqlJobStore]:
    database = open_file_database(path)
    migrate(database)
    with closing(SqlJobStore(database)) as store:
        yield store


def test_jobs_are_read_while_one_waits_to_be_stored(store: SqlJobStore, path: Path) -> None:
    job = add_to(store)
    with closing(sqlite3.connect(path, isolation_level=None)) as other, ThreadPoolExecutor(8) as threads:
        other.execute("BEGIN IMMEDIATE")
        added = threads.submit(add_to, store)
        assert [told.id for told in threads.map(store.get, [job.id] * 20)] == [job.id] * 20
        assert not added.done()
        other.execute("COMMIT")
        assert store.get(added.result().id) == added.result()


def test_a_file_that_is_no_database_is_told_and_not_kept_open(tmp_path: Path) -> None:
    path = tmp_path / "broken.db"
    path.write_bytes(b"no database at all" * 1000)
    with closing(open_file_database(path)) as database:
        with pytest.raises(StoreUnavailableError):
            database.query("SELECT 1 FROM jobs", {})
        path.unlink()
        assert database.query("SELECT 1", {}).rows[0][0] == 1
