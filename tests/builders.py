"""Services and values for tests: real adapters where they are quick, a clock that tests turn by hand."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from ethereal.assets.memory import MemoryAssetStore
from ethereal.errors import BrokerUnavailableError, NotBuiltError
from ethereal.jobs.memory import MemoryJobStore
from ethereal.jobs.model import Announcement, Job, JobId, JobType, StepKey, StepName
from ethereal.jobs.request import RenderRequest
from ethereal.jobs.store import JobStore
from ethereal.live import MemoryLiveProgress
from ethereal.render.kept import KeptRenderer
from ethereal.render.renderer import Renderer
from ethereal.services import ANSWERED_WITHIN, Limits, Services
from ethereal.storage.local import LocalObjectStore
from ethereal.storage.signing import Signer

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class HandClock:
    """Stands still until it is turned."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def turn(self, by: timedelta) -> None:
        self.now += by


@dataclass
class MemoryQueue:
    """A broker that writes down what it was told and can be away."""

    announced: list[Announcement] = field(default_factory=list)
    revoked: list[tuple[JobId, StepKey]] = field(default_factory=list)
    away: bool = False
    forgot: bool = False
    waits: bool = True
    listening: frozenset[str] = frozenset()
    workers: frozenset[str] = frozenset()
    asked: list[tuple[str | None, timedelta]] = field(default_factory=list)

    def announce(self, steps: Sequence[Announcement]) -> None:
        if self.away:
            raise BrokerUnavailableError("the broker does not answer")
        self.announced += steps

    def has_forgotten(self) -> bool:
        if self.away:
            raise BrokerUnavailableError("the broker does not answer")
        return self.forgot

    def has_messages(self) -> bool:
        return self.waits

    def remember(self) -> None:
        self.forgot = False

    def routes(self) -> frozenset[str]:
        return self.listening

    def listeners(self, route: str | None, *, patience: timedelta = ANSWERED_WITHIN) -> frozenset[str]:
        self.asked.append((route, patience))
        return self.workers

    def revoke(self, job_id: JobId, steps: Sequence[StepKey]) -> None:
        self.revoked += [(job_id, step) for step in steps]


def no_renderer(directory: Path) -> AbstractContextManager[Renderer]:
    raise NotBuiltError("these services draw nothing")


def make_services(folder: Path, *, clock: HandClock | None = None, limits: Limits | None = None) -> Services:
    clock = clock or HandClock()
    return Services(
        jobs=MemoryJobStore(),
        assets=MemoryAssetStore(),
        objects=LocalObjectStore(
            folder / "objects", base_url="http://127.0.0.1:1", signer=Signer(b"secret"), clock=clock
        ),
        queue=MemoryQueue(),
        live=MemoryLiveProgress(lambda: clock.now.timestamp()),
        renderer=KeptRenderer(no_renderer),
        clock=clock,
        new_id=uuid4,
        jitter=lambda: 0.5,
        scratch=folder / "scratch",
        limits=limits or Limits(),
    )


def make_request(**changes: object) -> RenderRequest:
    fields = {"audio_key": f"uploads/{uuid4()}/original.wav", "filename": "song.wav"} | changes
    return RenderRequest.model_validate(fields)


def add_job(services: Services, **changes: object) -> Job:
    return add_to(services.jobs, services.clock(), **changes)


def add_to(store: JobStore, now: datetime = NOON, **changes: object) -> Job:
    job = Job(
        id=JobId(str(uuid4())),
        type=JobType.RENDER,
        request=make_request(**changes),
        created_at=now,
        updated_at=now,
    )
    return store.add(job, StepKey(StepName.PREPARE_AUDIO))
