"""The clock of the database: asked now and then, counted on in between, missed for a while."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ethereal.errors import StoreUnavailableError
from ethereal.jobs.clock import StoreClock, time_of
from ethereal.jobs.database import Database
from ethereal.jobs.file_database import open_file_database
from tests.builders import NOON

MINUTE = timedelta(minutes=1)


class Server:
    """A database whose clock says what a test wants, or that is away."""

    def __init__(self) -> None:
        self.now, self.asked, self.away = NOON, 0, False

    def __call__(self) -> datetime:
        self.asked += 1
        if self.away:
            raise StoreUnavailableError("away")
        return self.now


class Ticks:
    """The seconds since this host was started."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_file_database(tmp_path / "jobs.db")
    yield opened
    opened.close()


def test_it_counts_on_from_what_the_database_said() -> None:
    server, ticks = Server(), Ticks()
    clock = StoreClock(server, tick=ticks)
    assert clock() == NOON

    ticks.seconds += 30

    assert clock() == NOON + MINUTE / 2
    assert server.asked == 1


def test_it_asks_again_after_a_minute_and_believes_the_answer() -> None:
    server, ticks = Server(), Ticks()
    clock = StoreClock(server, tick=ticks)
    clock()
    ticks.seconds, server.now = ticks.seconds + 60, NOON + 2 * MINUTE

    assert [clock(), clock()] == [NOON + 2 * MINUTE] * 2
    assert server.asked == 2


def test_while_the_database_is_away_it_counts_on_and_asks_once_a_minute() -> None:
    server, ticks = Server(), Ticks()
    clock = StoreClock(server, tick=ticks)
    clock()
    server.away = True
    ticks.seconds += 90

    assert [clock(), clock()] == [NOON + 1.5 * MINUTE] * 2
    assert server.asked == 2


def test_a_database_tells_its_time(database: Database) -> None:
    before = datetime.now(UTC)
    told = time_of(database)

    assert before - timedelta(milliseconds=5) <= told <= datetime.now(UTC) + timedelta(milliseconds=5)
