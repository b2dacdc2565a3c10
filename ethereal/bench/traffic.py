"""Clients of a web app under load: who submits, who polls, who follows; how long each answer took."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any, cast

import aiohttp

from ethereal.jobs.model import JobStatus

#: How often a page asks that may not follow.
POLL_SECONDS = 2.5
_ANSWER_SECONDS = 60.0
_CLIENTS = 50  # that a server tells apart


@dataclass
class Taken:
    """What the clients saw: seconds by the kind of request, events heard, and all that went wrong."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    events: int = 0
    ends: int = 0
    errors: list[str] = field(default_factory=list)
    jobs: list[str] = field(default_factory=list)  #: ids of what was submitted, oldest first

    def note(self, kind: str, seconds: float) -> None:
        self.seconds.setdefault(kind, []).append(seconds)


class Traffic:
    """Asks one server on behalf of many clients; every answer but a 2xx, and every cut, is an error."""

    def __init__(self, session: aiohttp.ClientSession, taken: Taken) -> None:
        self._session = session
        self._names = cycle(f"load-{number}" for number in range(_CLIENTS))
        self.taken = taken

    async def ask(self, kind: str, method: str, path: str, body: object = None) -> Mapping[str, Any] | None:
        """One request and how long its answer took. Return None when it went wrong."""
        started = time.monotonic()
        try:
            async with self._session.request(method, path, json=body, headers=self._name()) as response:
                answer = await response.read()
                self.taken.note(kind, time.monotonic() - started)
                if response.status // 100 == 2:
                    return cast(Mapping[str, Any], json.loads(answer))
                self.taken.errors.append(f"{kind}: {response.status} {answer[:200].decode(errors='replace')}")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            self.taken.errors.append(f"{kind}: {type(error).__name__} {error}")
        return None

    def _name(self) -> dict[str, str]:
        """Requests come from many clients, each of which has limits and turns of its own."""
        return {"X-Client-Id": next(self._names)}

    async def submit(self, kind: str, path: str, body: object) -> None:
        answer = await self.ask(kind, "POST", path, body)
        if answer is not None:
            self.taken.jobs.append(str(answer["jobId"]))

    async def submit_at_once(self, kind: str, path: str, bodies: Sequence[object], *, clients: int) -> None:
        """Send all of them as fast as so many clients can, each one request at a time."""
        waiting = iter(bodies)

        async def client() -> None:
            for body in waiting:
                await self.submit(kind, path, body)

        await asyncio.gather(*(client() for _ in range(clients)))

    async def submit_steadily(self, kind: str, path: str, bodies: Sequence[object], *, rate: float) -> None:
        """Send so many a second, whether those before were answered or not."""
        started = time.monotonic()
        async with asyncio.TaskGroup() as sent:
            for number, body in enumerate(bodies):
                await self._until(started + number / rate)
                sent.create_task(self.submit(kind, path, body))

    async def _until(self, due: float) -> None:
        """Sleep until a request is due; how much later this program woke is told beside the answers."""
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        self.taken.note("late", time.monotonic() - due)

    async def poll(self, first: float, until: float) -> None:
        """A client that looks at the newest job and stays with it to its end, then at another."""
        due, job_id = first, ""
        while due < until:
            await self._until(due)
            job_id = job_id or self.taken.jobs[-1]
            answer = await self.ask("poll", "GET", f"/api/jobs/{job_id}")
            if answer is None or JobStatus(answer["status"]).is_final:
                job_id = ""
            due += POLL_SECONDS

    async def poll_all(self, clients: int, seconds: float) -> None:
        """So many clients, spread evenly over the time between two looks."""
        now = time.monotonic()
        firsts = [now + POLL_SECONDS * number / clients for number in range(clients)]
        await asyncio.gather(*(self.poll(first, now + seconds) for first in firsts))

    async def follow(self, job_id: str) -> None:
        """Hear a job's events to its end; a stream that ends before is an error."""
        started, heard, last = time.monotonic(), 0, ""
        try:
            async with self._session.get(f"/api/jobs/{job_id}/events", timeout=_NEVER) as response:
                if response.status != 200:
                    self.taken.errors.append(f"follow: {response.status}")
                    return
                async for line in response.content:
                    if line.startswith(b"event: "):
                        last = line[7:].strip().decode()
                        if not heard:
                            self.taken.note("first event", time.monotonic() - started)
                        heard, self.taken.events = heard + 1, self.taken.events + 1
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            self.taken.errors.append(f"follow: {type(error).__name__} {error}")
            return
        if last == "end":
            self.taken.ends += 1
        else:
            self.taken.errors.append(f"follow: the stream ended with {last or 'nothing'}")


_NEVER = aiohttp.ClientTimeout(total=None, sock_read=60)


@asynccontextmanager
async def open_traffic(base_url: str, token: str | None = None) -> AsyncIterator[Traffic]:
    """Clients of the server at `base_url`, with as many connections as they want."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with aiohttp.ClientSession(
        base_url,
        headers=headers,
        connector=aiohttp.TCPConnector(limit=0),
        timeout=aiohttp.ClientTimeout(total=_ANSWER_SECONDS),
    ) as session:
        yield Traffic(session, Taken())
