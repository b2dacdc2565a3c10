"""What an asset is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NewType

from pydantic import Field

from ethereal.jobs.request import EditRecipe, Record, SourceType
from ethereal.storage.keys import StorageKey

AssetId = NewType("AssetId", str)


class SoundFacts(Record):
    """What its file says of the sound: `duration` in seconds, `bitrate` in bits a second."""

    duration: float
    sample_rate: int
    channels: int
    codec: str
    format: str
    bitrate: int | None = None


class Provenance(Record):
    """Where it came from, who vouched for the right to use it and when, and what fetched it."""

    source_type: SourceType
    source_url: str | None = None
    source_video_id: str | None = None
    rights_attested_at: datetime | None = None
    ingest_tool_versions: dict[str, str] = Field(default_factory=dict)


class HeardLoudness(Record):
    """What the sound of a recipe came to, in LUFS and in dB of full scale; None for silence."""

    lufs: float | None
    true_peak: float | None
    gain: float
    limited: bool


class Prepared(Record):
    """The sound that was last saved for an asset, and the recipe it was made by."""

    key: str
    sha256: str
    size_bytes: int
    duration: float
    loudness: HeardLoudness | None = None
    recipe: EditRecipe


@dataclass(frozen=True, kw_only=True)
class Asset:
    """A stored sound; `sha256` names the bytes of its source, `used_at` is when it was last asked for."""

    id: AssetId
    sha256: str
    original: StorageKey
    filename: str
    audio: SoundFacts
    provenance: Provenance
    created_at: datetime
    updated_at: datetime
    used_at: datetime
    prepared: Prepared | None = None
    sequence: int = 0  #: order of arrival, given by the store

    @property
    def sound(self) -> StorageKey:
        """What is heard of it: the prepared sound when there is one."""
        return StorageKey(self.prepared.key) if self.prepared else self.original


@dataclass(frozen=True)
class AssetObject:
    """An object of an asset and its `size` in bytes; one that is `cached` can be made again."""

    key: StorageKey
    size: int
    cached: bool = False
