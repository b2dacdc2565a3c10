"""What a dispatcher and a renderer elsewhere say to each other: one model for both ends of the wire.

An order is small and travels with the call; it points to its brief, a document in the object store. Unknown
fields are refused, so the two ends must be deployed from one commit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Self, TypeVar

from pydantic import Field, SecretStr, ValidationError, field_serializer, model_validator

from ethereal.errors import InvalidInputError
from ethereal.jobs.request import Record, RenderRequest, RenderResult

#: Modal takes larger arguments in another way, which waits on another service.
MOST_ORDER_BYTES = 8 << 10

R = TypeVar("R", bound=Record)


class Order(Record):
    """Asks for one attempt of a render. Links and the token open this job's files and reports only."""

    version: Literal[1] = 1
    job_id: str
    attempt: int = Field(ge=1)
    report_url: str
    report_token: SecretStr
    brief_url: str
    brief_sha256: str
    request_id: str = ""  #: of the request that the job came with, for the log

    @field_serializer("report_token", when_used="json")
    def _reveal(self, token: SecretStr) -> str:
        return token.get_secret_value()


class PutLink(Record):
    """Where one file may be put, and the headers to send with it."""

    url: str
    headers: Mapping[str, str] = Field(default_factory=dict)


class PartLinks(Record):
    """Where one large file may be put in parts of `size` bytes, the last one smaller: part 1 at `urls[0]`."""

    upload_id: str
    size: int = Field(gt=0)
    urls: tuple[str, ...] = Field(min_length=1)


class Slot(Record):
    """A file that one container puts and another reads."""

    put: PutLink
    get: str


class Brief(Record):
    """All that a renderer must know of a job: what to draw, links to what it reads and for what it makes.

    `inputs` maps file names to links. The video is dealt out to as many chunks as there are slots; one chunk
    is drawn where the plan is made. `video_key` is what the video's link is for.
    """

    version: Literal[1] = 1
    request: RenderRequest
    inputs: Mapping[str, str]
    video_key: str
    poster_key: str
    contact_key: str
    video: PutLink
    video_parts: PartLinks | None = None  #: for a video that is too large for one piece
    poster: PutLink
    contact: PutLink
    plan: Slot
    chunks: tuple[Slot, ...] = Field(min_length=1)
    refuse_software: bool = True  #: fail where a GPU was asked for and software draws
    estimated_cost_usd: float | None = None


class ChunkOrder(Record):
    """Asks a container for one chunk of a plan."""

    version: Literal[1] = 1
    plan_url: str
    plan_hash: str
    index: int = Field(ge=0)
    put: PutLink
    job_id: str = ""  #: with `request_id` for the log
    request_id: str = ""


class Trouble(Record):
    """Why something was not done: the code of an error and a sentence."""

    code: str = Field(min_length=1, max_length=100)
    message: str = Field(max_length=4000)


class ChunkDone(Record):
    """What became of a chunk: the sha256 of its file, or the trouble with it."""

    index: int = Field(ge=0)
    sha256: str = ""
    seconds: float = Field(default=0.0, ge=0)  #: that the container was at work
    trouble: Trouble | None = None


class Report(Record):
    """What a renderer says of its attempt.

    Its numbers rise, also from one run of a call to the next; `call_id` names the call that speaks.
    """

    job_id: str = Field(min_length=1, max_length=64)
    attempt: int = Field(ge=1)
    sequence: int = Field(ge=1)
    call_id: str = Field(min_length=1, max_length=200)
    status: Literal["progress", "complete", "failed"]
    progress: float | None = Field(default=None, ge=0, le=100)
    stage: str | None = Field(default=None, pattern=r"^[a-z][a-z0-9-]{0,40}$")
    result: RenderResult | None = None
    parts: int | None = Field(default=None, ge=1, le=10_000)  #: of the video, which are to be joined
    error: Trouble | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        needed = {"progress": ("progress", "stage"), "complete": ("result",), "failed": ("error",)}
        lacking = [name for name in needed[self.status] if getattr(self, name) is None]
        if lacking:
            raise ValueError(f"{self.status} needs {' and '.join(lacking)}")
        return self


def read_message(kind: type[R], told: object) -> R:
    """Read what the other end sent. Raise InvalidInputError naming each wrong field."""
    try:
        return kind.model_validate(told)
    except ValidationError as error:
        problems: dict[str, list[str]] = {}
        for problem in error.errors():
            problems.setdefault(".".join(map(str, problem["loc"])) or kind.__name__, []).append(
                problem["msg"]
            )
        raise InvalidInputError(
            f"not a usable {kind.__name__.lower()}: {', '.join(problems)}", problems
        ) from None  # the cause quotes what was sent, tokens included
