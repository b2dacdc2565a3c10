"""What a client asks for, as stored with its job. Unknown fields are refused."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class Record(BaseModel):
    """A value that travels as JSON: camelCase outside, frozen inside."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True, serialize_by_alias=True
    )


class TimeRange(Record):
    """A part of the audio, in seconds."""

    start: float = Field(ge=0, allow_inf_nan=False)
    end: float = Field(gt=0, allow_inf_nan=False)


class RenderRequest(Record):
    """One render: which stored audio becomes which video. Values are checked before the job is stored."""

    audio_key: str
    filename: str
    audio_sha256: str = ""
    title: str = ""
    template: str = "ethereal-flame"
    output_format: str = "flat-1080p-landscape"
    fps: int | str = 30  #: a whole rate, or a fraction such as "30000/1001"
    quality: str = "standard"
    container: str = "mp4"
    codec: str | None = None  #: of mp4: h264 or hevc; None leaves it to the size
    parameters: dict[str, float | bool | str] = Field(default_factory=dict)
    range: TimeRange | None = None
    chunks: int | None = Field(default=None, ge=1, le=1000)
    seed: int = Field(default=0, ge=0, lt=2**32)


class RenderResult(Record):
    """What a finished render is: where the video lies and what it holds."""

    video_key: str
    sha256: str
    size_bytes: int
    duration_seconds: float
    frames: int
    fps: str
    width: int
    height: int
    format: str
    plan_hash: str
    fingerprint: str
    render_seconds: float
    chunks: int
    poster_key: str | None = None
    contact_key: str | None = None
