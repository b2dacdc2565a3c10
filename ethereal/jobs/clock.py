"""The time of the database, for all hosts alike: one whose clock is wrong takes no lease and keeps none."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ethereal.errors import StoreUnavailableError
from ethereal.jobs.database import Database

logger = logging.getLogger(__name__)

_ASK_EVERY = 60.0  # seconds in which clocks of hosts drift by less than a millisecond or two
_MILLISECONDS = "SELECT CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"
_WORTH_TELLING = timedelta(seconds=2)


def time_of(database: Database) -> datetime:
    """What the database's own clock says, to a few milliseconds. Raise StoreUnavailableError."""
    milliseconds = int(database.query(_MILLISECONDS, {}).rows[0][0])
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


@dataclass(frozen=True)
class _Known:
    time: datetime
    tick: float


class StoreClock:
    """A clock that asks the database now and then and counts on by itself, whatever the host's is set to."""

    def __init__(self, ask: Callable[[], datetime], *, tick: Callable[[], float] = time.monotonic) -> None:
        self._ask, self._tick = ask, tick
        self._known: _Known | None = None

    def __call__(self) -> datetime:
        known = self._known
        if known is None or self._tick() - known.tick >= _ASK_EVERY:
            known = self._look(known)
        return _counted_on(known, self._tick())

    def _look(self, before: _Known | None) -> _Known:
        asked = self._tick()
        try:
            told = self._ask()
        except StoreUnavailableError:
            # While the database is away nothing can be claimed either: what is known has to do.
            return self._keep(_counted_on(before, self._tick()) if before else datetime.now(UTC))
        if before is None:
            _tell(told - datetime.now(UTC))
        return self._keep(told + timedelta(seconds=(self._tick() - asked) / 2))

    def _keep(self, now: datetime) -> _Known:
        self._known = _Known(now, self._tick())
        return self._known


def _counted_on(known: _Known, tick: float) -> datetime:
    return known.time + timedelta(seconds=tick - known.tick)


def _tell(ahead: timedelta) -> None:
    if abs(ahead) > _WORTH_TELLING:
        seconds = ahead.total_seconds()
        logger.warning("the clock of this host is %.1f s behind the database's, whose time counts", seconds)
