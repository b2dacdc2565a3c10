"""Every job store there is, one after another."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ethereal.jobs.database import Database
from ethereal.jobs.file_database import open_file_database
from ethereal.jobs.memory import MemoryJobStore
from ethereal.jobs.migrate import migrate
from ethereal.jobs.remote_database import open_remote_database
from ethereal.jobs.sql import SqlJobStore
from ethereal.jobs.store import JobStore
from tests.standins.hrana import open_hrana


def migrated(database: Database) -> SqlJobStore:
    migrate(database)
    return SqlJobStore(database)


@pytest.fixture(params=["memory", "file", "remote"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[JobStore]:
    if request.param == "memory":
        yield MemoryJobStore()
    elif request.param == "file":
        with closing(migrated(open_file_database(tmp_path / "jobs.db"))) as store:
            yield store
    else:
        with (
            open_hrana(tmp_path / "jobs.db", token="token") as server,
            closing(migrated(open_remote_database(server.url, "token"))) as store,
        ):
            yield store
