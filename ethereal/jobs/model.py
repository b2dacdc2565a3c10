"""What a job and its steps are, and which moves a status allows."""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType, TypeVar

from ethereal.errors import NotFoundError
from ethereal.jobs.request import EditRequest, IngestRequest, JobRequest, RenderRequest

JobId = NewType("JobId", str)
Asked = TypeVar("Asked", bound=JobRequest)


class JobType(StrEnum):
    INGEST = "ingest"
    PREVIEW = "preview"
    SAVE = "save"
    RENDER = "render"


REQUEST_OF: Mapping[JobType, type[JobRequest]] = {
    JobType.INGEST: IngestRequest,
    JobType.PREVIEW: EditRequest,
    JobType.SAVE: EditRequest,
    JobType.RENDER: RenderRequest,
}


class JobStatus(StrEnum):
    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETE = "complete"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        return not NEXT_STATUSES[self]


NEXT_STATUSES: Mapping[JobStatus, frozenset[JobStatus]] = {
    JobStatus.PENDING: frozenset({JobStatus.PROCESSING, JobStatus.CANCELLED, JobStatus.FAILED}),
    JobStatus.PROCESSING: frozenset(
        {
            JobStatus.PENDING,  # its lease expired, or a retryable failure with attempts left
            JobStatus.COMPLETE,
            JobStatus.FAILED,
            JobStatus.CANCELLED,
        }
    ),
    JobStatus.COMPLETE: frozenset(),
    JobStatus.FAILED: frozenset(),
    JobStatus.CANCELLED: frozenset(),
}

LIVE_STATUSES = frozenset(status for status in JobStatus if not status.is_final)


class StepName(StrEnum):
    """The one step of an ingest, a preview and a save, then those of a render in the order they come."""

    INGEST_AUDIO = "ingest_audio"
    PREVIEW_EDIT = "preview_edit"
    SAVE_EDIT = "save_edit"
    PREPARE_AUDIO = "prepare_audio"
    UPLOAD_R2 = "upload_r2"
    DISPATCH_MODAL = "dispatch_modal"
    PLAN_RENDER = "plan_render"
    DRAW_CONTACT = "draw_contact"
    RENDER_CHUNK = "render_chunk"
    SECOND_RUN = "second_run"
    ASSEMBLE_VIDEO = "assemble_video"
    ACCEPT_VIDEO = "accept_video"


#: The steps that a plan brings about.
AFTER_PLAN = frozenset(
    {StepName.DRAW_CONTACT, StepName.RENDER_CHUNK, StepName.SECOND_RUN, StepName.ASSEMBLE_VIDEO}
)


class StepStatus(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    VOID = "void"  # not due any more, or not yet; its attempts still count, so late workers stay fenced off


ENDED = frozenset({StepStatus.DONE, StepStatus.VOID})


@dataclass(frozen=True, order=True)
class StepKey:
    """One claimable piece of a job's work; `index` counts the chunks of a render."""

    name: StepName
    index: int = 0

    def __str__(self) -> str:
        return f"{self.name}.{self.index}"

    @property
    def first(self) -> StepKey:
        """The chunk that this is, or is a second run of."""
        return StepKey(StepName.RENDER_CHUNK, self.index)

    @property
    def second(self) -> StepKey:
        """The second run of this chunk, which may end it in the place of the first."""
        return StepKey(StepName.SECOND_RUN, self.index)

    @property
    def is_second(self) -> bool:
        """Whether the job goes on when it fails: a chunk's first run is there still."""
        return self.name is StepName.SECOND_RUN


@dataclass(frozen=True, kw_only=True)
class JobError:
    code: str
    message: str
    retryable: bool


@dataclass(frozen=True)
class Failure:
    """An attempt that ended badly by no fault of the request, and the worker it counts against."""

    attempt: int
    worker: str
    code: str


@dataclass(frozen=True, kw_only=True)
class Job:
    """One request: sound to take in, an edit to hear or to keep, or a video to make."""

    id: JobId
    type: JobType
    request: JobRequest
    created_at: datetime
    updated_at: datetime
    status: JobStatus = JobStatus.PENDING
    stage: str | None = None  #: for people, never for logic
    progress: float = 0.0  #: 0 to 100, never falls
    attempt: int = 0  #: the highest attempt of any of its steps
    result: Mapping[str, object] | None = None
    error: JobError | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    sequence: int = 0  #: order of arrival, given by the store
    request_id: str = ""  #: of the request that it came with, for the log
    client: str = ""  #: who sent it, as far as the web app can tell people and programs apart

    def asked(self, kind: builtins.type[Asked]) -> Asked:
        """Its request. Raise NotFoundError when this is a job of another kind."""
        if not isinstance(self.request, kind):
            raise NotFoundError(f"job {self.id} is of type {self.type}")
        return self.request

    @property
    def upload_key(self) -> str:
        """The upload that it was made from; empty when there is none."""
        return "" if isinstance(self.request, EditRequest) else self.request.audio_key


@dataclass(frozen=True, kw_only=True)
class Step:
    """The state of one step. `attempt` counts its claims and fences late workers off."""

    job_id: JobId
    key: StepKey
    status: StepStatus = StepStatus.WAITING
    attempt: int = 0
    owner: str | None = None
    worker: str = ""  #: who claimed it last, by the name of its machine and its own
    lease_expires_at: datetime | None = None
    deadline_at: datetime | None = None
    claimed_at: datetime | None = None
    finished_at: datetime | None = None
    not_before: datetime
    announce_at: datetime
    announcements: int = 1
    route: str | None = None  #: the kind of renderer that must do it; None: any worker
    turn_at: datetime | None = None  #: when it was called before others because it was its client's turn
    result: Mapping[str, object] | None = None
    failures: Sequence[Failure] = ()

    @property
    def call(self) -> Call | None:
        """The call elsewhere that does the step, or did it in an earlier attempt."""
        told = (self.result or {}).get("call")
        if not isinstance(told, Mapping):
            return None
        return Call(str(told["id"]), int(told["attempt"]), int(told["sequence"]), int(told["heardAt"]))

    def overran(self, grace: timedelta) -> bool:
        """Whether its lease outlived its time, `grace` before its deadline; a call has no such end."""
        elsewhere = self.call is not None and self.call.attempt == self.attempt
        if elsewhere or self.lease_expires_at is None or self.deadline_at is None:
            return False
        return self.lease_expires_at >= self.deadline_at - grace


@dataclass(frozen=True)
class Call:
    """A step that is done elsewhere: who does it under which attempt, and the last sign of life.

    `sequence` is the number of that sign, `heard_at` its milliseconds since the epoch.
    """

    id: str
    attempt: int
    sequence: int
    heard_at: int


@dataclass(frozen=True, order=True)
class Announcement:
    """A stored step that workers are to be told of, and the kind of renderer it is for.

    On its `turn` it goes before all that waits.
    """

    job_id: JobId
    step: StepKey
    route: str | None = None
    turn: bool = False


@dataclass(frozen=True)
class Sender:
    """Who sends a request, and the key under which the same one may come again."""

    client: str = ""
    key: str | None = None
    key_of_page: bool = False  #: whether another request may come under the key: it is a job of its own then


@dataclass(frozen=True)
class Lease:
    """What a worker quotes on every write: this attempt of this step of this job."""

    job_id: JobId
    step: StepKey
    attempt: int


@dataclass(frozen=True)
class Claim:
    """A step taken: the job as it stands and the lease to quote."""

    job: Job
    lease: Lease
