"""What the API answers, as it is described to programs; tests hold the views to it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from ethereal.assets.model import HeardLoudness, Provenance, SoundFacts
from ethereal.jobs.model import JobStatus, JobType
from ethereal.jobs.request import EditRecipe, Record, SourceType


class ErrorTold(Record):
    """Programs decide by the code, never by the message; `details` maps a field to what is wrong with it."""

    code: str
    message: str
    details: dict[str, list[str]] | None = None


class Refusal(Record):
    """Every answer that is no success."""

    error: ErrorTold


class Accepted(Record):
    """Work that was taken; its job is at `Location`. `cached`: the sound of a preview was there already."""

    job_id: str
    status: JobStatus
    cached: bool | None = None


class Cancelled(Record):
    job_id: str
    status: Literal[JobStatus.CANCELLED]


class Ended(Record):
    job_id: str
    action: Literal["cancelled", "deleted"]


class JobFailure(Record):
    code: str
    message: str
    retryable: bool


class TimeLeft(Record):
    """Seconds until the end: a guess, and the range it most likely falls in."""

    seconds: int
    low: int
    high: int


class JobAnswer(Record):
    """A job; what does not apply yet is absent."""

    job_id: str
    type: JobType
    status: JobStatus
    stage: str | None = Field(description="What is being done, for people.")
    message: str
    progress: float = Field(ge=0, le=100)
    attempt: int
    title: str
    queue_position: int | None = Field(description="Jobs whose turn is before this one's, while it waits.")
    asset_id: str | None = None
    template: str | None = None
    output_format: str | None = None
    fps: int | str | None = None
    quality: str | None = None
    container: str | None = None
    codec: str | None = None
    background: str | None = None
    source_type: SourceType | None = None
    url: str | None = None
    eta: TimeLeft | None = None
    created_at: datetime
    updated_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    result: dict[str, Any] | None = Field(None, description="What a complete job came to, by its type.")
    error: JobFailure | None = None
    download_url: str | None = None
    poster_url: str | None = None


class JobsAnswer(Record):
    """Jobs, newest first; `cursor` continues after them."""

    jobs: list[JobAnswer]
    cursor: int | None


class FailureTold(Record):
    attempt: int
    worker: str
    code: str


class ChunkAnswer(Record):
    index: int
    status: str
    frames: int
    drawn: int
    attempt: int
    host: str | None
    seconds: dict[str, float]
    copied: int
    reused: bool
    second_run: bool
    failures: list[FailureTold]


class ChunksAnswer(Record):
    chunks: list[ChunkAnswer]
    avoided_workers: list[str]
    contact_url: str | None


class PreparedTold(Record):
    sha256: str
    size_bytes: int
    duration: float
    loudness: HeardLoudness | None = None


class AssetAnswer(Record):
    asset_id: str
    original_filename: str
    source_hash: str
    audio: SoundFacts
    provenance: Provenance
    created_at: datetime
    updated_at: datetime
    prepared: PreparedTold | None = None


class AssetWhole(AssetAnswer):
    """An asset with its outline at several zooms, and the recipe that was last saved."""

    peaks: Any
    edits: EditRecipe | None


class Usage(Record):
    bytes: int
    mb: float
    quota_gb: float = Field(alias="quotaGB")


class AssetsAnswer(Record):
    assets: list[AssetAnswer]
    cursor: int | None
    disk_usage: Usage


class Deleted(Record):
    deleted: str


class UploadLink(Record):
    """Where one file may be put, with these headers, until `expiresAt`."""

    upload_url: str
    method: Literal["PUT"]
    headers: dict[str, str]
    key: str
    expires_at: datetime


class Stored(Record):
    key: str
    size: int
    sha256: str


class ReportTaken(Record):
    job_id: str
    attempt: int
    sequence: int


class TemplateTold(Record):
    id: str
    name: str
    description: str
    scene: str
    scene_url: str
    parameters: dict[str, float | bool | str]
    picture_url: str | None


class TemplatesAnswer(Record):
    templates: list[TemplateTold]


class FormatTold(Record):
    id: str
    name: str
    hint: str
    width: int
    height: int
    projection: Literal["flat", "mono", "stereo"]


class Choice(Record):
    id: str
    name: str
    hint: str


class ContainerTold(Choice):
    transparent: bool


class FormatsAnswer(Record):
    formats: list[FormatTold]
    fps: list[int]
    qualities: list[Choice]
    containers: list[ContainerTold]


class Health(Record):
    status: Literal["ok"]
    checks: dict[str, str] | None = None
