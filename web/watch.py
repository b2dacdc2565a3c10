"""What event streams follow: one look at all followed jobs for all streams of this process, twice a second.

A stream costs a thread of the server, and nothing more while its job stands still.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Condition, Event, Thread

from ethereal.errors import UnavailableError
from ethereal.jobs.model import JobId

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Seen:
    """How a job is seen; looks with equal ids are worth no second event."""

    event_id: str
    is_final: bool
    body: Mapping[str, object]


#: How each of these jobs is seen; those that are gone are left out.
Look = Callable[[Sequence[JobId]], Mapping[JobId, Seen]]


class Follower:
    """One stream's ear: it hears how its job is seen now, never how it was seen in between."""

    def __init__(self, job_id: JobId) -> None:
        self.job_id = job_id
        self.is_gone = False
        self._heard = Event()
        self._seen: Seen | None = None

    def tell(self, seen: Seen | None) -> None:
        """Say how the job is seen now; None when it is gone."""
        before, self._seen, self.is_gone = self._seen, seen, self.is_gone or seen is None
        if seen is None or before is None or seen.event_id != before.event_id:
            self._heard.set()

    def wait(self, seconds: float) -> Seen | None:
        """How the job is seen once that has changed; None when it is gone or nothing changed for so long."""
        if not self._heard.wait(seconds):
            return None
        self._heard.clear()
        return self._seen


class Watch:
    """Looks at what is followed, on a thread that is there while somebody follows."""

    def __init__(self, look: Look, every: float) -> None:
        self._look = look
        self._every = every  # seconds
        self._changed = Condition()
        self._followers: set[Follower] = set()
        self._thread: Thread | None = None
        self._has_ended = False

    def end(self) -> None:
        """Let all streams end, and those that come from now on: their clients go to another process."""
        with self._changed:
            self._has_ended, left = True, list(self._followers)
        for follower in left:
            follower.tell(None)

    @contextmanager
    def follow(self, job_id: JobId) -> Iterator[Follower]:
        """A follower of the job until the end of the block."""
        follower = Follower(job_id)
        with self._changed:
            follower.is_gone = self._has_ended
            self._followers.add(follower)
            if self._thread is None:
                self._thread = Thread(target=self._watch, name="watch", daemon=True)
                self._thread.start()
        try:
            yield follower
        finally:
            with self._changed:
                self._followers.discard(follower)
                self._changed.notify_all()

    def _watch(self) -> None:
        try:
            while followers := self._next():
                self._tell(followers)
        except Exception:
            logger.exception("followed jobs cannot be looked at: their streams end")
            with self._changed:
                self._thread, left = None, list(self._followers)
            for follower in left:
                follower.tell(None)

    def _tell(self, followers: Sequence[Follower]) -> None:
        try:
            seen = self._look(sorted({follower.job_id for follower in followers}))
        except UnavailableError as error:
            logger.warning("nobody can tell how followed jobs stand: %s", error)
            return
        for follower in followers:
            follower.tell(seen.get(follower.job_id))

    def _next(self) -> list[Follower]:
        """Those to tell, after a pause; none, and no thread any more, when nobody follows."""
        with self._changed:
            self._changed.wait_for(lambda: not self._followers, self._every)
            if not self._followers:
                self._thread = None
            return list(self._followers)
