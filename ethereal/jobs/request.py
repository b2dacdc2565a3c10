"""What a client asks for, as stored with its job. Unknown fields are refused."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

MOST_CLIPS = 50

AssetId = Annotated[str, Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]


class Record(BaseModel):
    """A value that travels as JSON: camelCase outside, frozen inside."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True, serialize_by_alias=True
    )


class TimeRange(Record):
    """A part of the audio, in seconds."""

    start: float = Field(ge=0, allow_inf_nan=False)
    end: float = Field(gt=0, allow_inf_nan=False)


class Clip(Record):
    """A part of a source, in seconds from its start; fades are seconds from the clip's ends."""

    id: str = Field(min_length=1, max_length=64)
    source_asset_id: AssetId
    start_time: Number
    end_time: Number
    volume: Number = 1.0
    fade_in: Number = 0.0
    fade_out: Number = 0.0


class Loudness(Record):
    """What to bring the sound to: `target` in LUFS, at most `true_peak` in dB of full scale."""

    target: float = Field(-14.0, ge=-40, le=-5, strict=True)
    true_peak: float = Field(-1.0, ge=-9, le=0, strict=True)


class EditRecipe(Record):
    """The clips in the order they sound. `normalize` switches `loudness` on, which has its usual numbers."""

    version: Literal[1]
    asset_id: AssetId
    clips: tuple[Clip, ...] = Field(max_length=MOST_CLIPS)
    normalize: bool = Field(False, strict=True)
    loudness: Loudness | None = None
    output_format: Literal["wav", "aac"] = "wav"
    output_sample_rate: Literal[44100, 48000] = 44100

    @property
    def wanted_loudness(self) -> Loudness | None:
        return (self.loudness or Loudness()) if self.normalize else None

    @property
    def sources(self) -> frozenset[str]:
        """The assets that its clips are taken from."""
        return frozenset(clip.source_asset_id for clip in self.clips)


class SourceType(StrEnum):
    """Where sound came from."""

    YOUTUBE = "youtube"
    URL = "url"
    AUDIO_FILE = "audio_file"
    VIDEO_FILE = "video_file"


class IngestRequest(Record):
    """Sound to be made an asset: what lies at `url`, or the upload `audio_key`."""

    source_type: SourceType
    url: str = ""
    audio_key: str = ""
    audio_sha256: str = ""  #: of the upload, where it is known
    filename: str = ""
    rights_attested_at: datetime | None = None


class EditRequest(Record):
    """A recipe whose sound is to be heard (a preview) or kept (a save)."""

    recipe: EditRecipe


class RenderRequest(Record):
    """One render: which sound becomes which video. Values are checked before the job is stored.

    The sound is an upload, an asset, or what lies at an address; a recipe cuts that of an asset.
    """

    audio_key: str = ""
    asset_id: str | None = None
    audio_url: str = ""
    recipe: EditRecipe | None = None
    filename: str
    audio_sha256: str = ""
    title: str = ""
    template: str = "ethereal-flame"
    output_format: str = "flat-1080p-landscape"
    fps: int | str = 30  #: a whole rate, or a fraction such as "30000/1001"
    quality: str = "standard"
    container: str = "mp4"
    codec: str | None = None  #: of mp4: h264, h264-nvenc or hevc; None leaves it to the size
    background: Literal["scene", "transparent"] = "scene"  #: behind the light; not in every container
    parameters: dict[str, float | bool | str] = Field(default_factory=dict)
    range: TimeRange | None = None
    chunks: int | None = Field(default=None, ge=1, le=1000)
    seed: int = Field(default=0, ge=0, lt=2**32)


class EtaTold(Record):
    """A guess at the seconds until the end, made at `at` percent of the frames, and what it took."""

    at: int
    predicted: float
    took: float


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
    etas: tuple[EtaTold, ...] = ()
    machine: str | None = None  #: elsewhere: the GPU that was paid for, or `cpu`
    machine_seconds: float | None = None  #: that its containers were at work, all of them together
    gl_renderer: str | None = None  #: what the driver that drew calls itself
    software_gl: bool | None = None  #: whether that driver draws on the CPU
    cost_usd: float | None = None  #: of those seconds, at the prices of the settings
    estimated_cost_usd: float | None = None  #: the same, guessed before the render


#: What the jobs of each type ask for.
JobRequest: TypeAlias = RenderRequest | IngestRequest | EditRequest
