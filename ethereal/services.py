"""What a step of the pipeline works with: ports, limits and a clock, handed in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from ethereal.assets.store import AssetStore
from ethereal.audio.addresses import PUBLIC_HTTPS, AddressRule
from ethereal.jobs.model import Announcement, JobId, StepKey, StepName
from ethereal.jobs.store import JobStore
from ethereal.jobs.turns import Unfinished
from ethereal.live import LiveProgress
from ethereal.meters import MemoryMeters, Meters
from ethereal.storage.store import ObjectStore

if TYPE_CHECKING:
    from ethereal.dispatch.dispatcher import Cloud
    from ethereal.render.kept import KeptRenderer


#: Workers that are not too busy to answer have done so after this long.
ANSWERED_WITHIN = timedelta(seconds=1)


class TaskQueue(Protocol):
    """Where steps are announced to workers. Messages may be lost or come twice: the job store decides."""

    def announce(self, steps: Sequence[Announcement]) -> None:
        """Raise BrokerUnavailableError when the broker does not take them."""
        ...

    def routes(self) -> frozenset[str]:
        """The kinds of renderers that listen. Raise BrokerUnavailableError when nobody can tell."""
        ...

    def listeners(self, route: str | None, *, patience: timedelta = ANSWERED_WITHIN) -> frozenset[str]:
        """The workers of that kind of renderer that listen, None: of any kind; asking takes `patience`.

        Raise BrokerUnavailableError when nobody can tell.
        """
        ...

    def has_forgotten(self) -> bool:
        """Whether the broker lost what it was told since `remember`. Raise BrokerUnavailableError."""
        ...

    def has_messages(self) -> bool:
        """Whether any message waits for a worker of steps. Raise BrokerUnavailableError."""
        ...

    def remember(self) -> None:
        """Note with the broker that it is told of everything. Raise BrokerUnavailableError."""
        ...

    def revoke(self, job_id: JobId, steps: Sequence[StepKey]) -> None:
        """Stop these tasks where they run, if somebody listens."""
        ...


MOST_JOBS = Unfinished(in_all=10_000, of_client=1_000)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How large, how long and how often."""

    upload_bytes: int = 100 << 20
    audio: timedelta = timedelta(minutes=30)
    lease: timedelta = timedelta(seconds=60)
    beat: timedelta = timedelta(seconds=2)
    step: timedelta = timedelta(minutes=60)  #: of a render
    render: timedelta = timedelta(hours=24)  #: a render in all
    ingest: timedelta = timedelta(minutes=10)
    preview: timedelta = timedelta(minutes=5)
    save: timedelta = timedelta(minutes=15)
    grace: timedelta = timedelta(seconds=10)  #: to tidy up after one of these, before the step is killed
    retry: timedelta = timedelta(seconds=5)
    max_attempts: int = 3
    uploads_kept: timedelta = timedelta(hours=24)
    assets_bytes: int = 5 << 30  #: what all assets may take
    assets_kept: timedelta = timedelta(days=30)  #: since they were last asked for
    previews_kept: timedelta = timedelta(days=7)
    stranded: timedelta = timedelta(seconds=15)  #: after which people are told that a renderer is missing
    straggler: timedelta = timedelta(seconds=20)  #: before which no chunk is called slow
    left_to_others: timedelta = timedelta(
        seconds=30
    )  #: after which a worker that failed takes a step after all
    plan_again: timedelta = timedelta(minutes=5)  #: after which another kind of renderer may take the job
    jobs: Unfinished = MOST_JOBS  #: how many may live at once

    def time_for(self, step: StepName) -> timedelta:
        """How long one attempt of that step may take in all."""
        own = {
            StepName.INGEST_AUDIO: self.ingest,
            StepName.PREVIEW_EDIT: self.preview,
            StepName.SAVE_EDIT: self.save,
        }
        return own.get(step, self.step)


@dataclass(frozen=True, kw_only=True)
class Services:
    jobs: JobStore
    assets: AssetStore
    objects: ObjectStore
    queue: TaskQueue
    live: LiveProgress
    renderer: KeptRenderer  #: draws for plans; its browser may stay open from one step to the next
    clock: Callable[[], datetime]
    new_id: Callable[[], UUID]
    jitter: Callable[[], float]  #: between 0 and 1
    scratch: Path  #: working files and caches of this host
    cloud: Cloud | None = None  #: who renders elsewhere; None: the farm does
    farm_width: int = 1  #: chunks that can be drawn at once
    route: str | None = None  #: the kind of renderer this worker is, by the first 8 digits of its fingerprint
    fingerprint: str | None = None  #: the whole of it, where this worker draws
    worker: str = ""  #: the name under which this worker claims; the same for all its processes
    encoders: int = 1  #: GOPs that one chunk encodes at once, a core each
    rule: AddressRule = PUBLIC_HTTPS  #: where addresses that users give may lead
    yt_dlp: Sequence[str] = ()  #: the command that stands in for the installed one
    meters: Meters = field(default_factory=MemoryMeters)
    limits: Limits = field(default_factory=Limits)
