"""What the pages show of a sound, and of a job that makes one: an ingest, a preview, a save."""

from __future__ import annotations

from dataclasses import dataclass

from ethereal.assets.model import Asset, AssetId
from ethereal.jobs.model import JobStatus, JobType
from ethereal.jobs.request import EditRequest
from web import words
from web.followed import FollowedJob
from web.show import instant, sound_link


@dataclass(frozen=True)
class SoundView:
    """An asset in words."""

    asset: Asset

    @property
    def name(self) -> str:
        return self.asset.filename

    @property
    def facts(self) -> str:
        sound = self.asset.audio
        sides = {1: "mono", 2: "stereo"}.get(sound.channels, f"{sound.channels} channels")
        rate = f"{sound.sample_rate / 1000:g} kHz"
        return f"{words.clock_words(sound.duration)} · {sound.codec} · {rate} {sides}"

    @property
    def source(self) -> str:
        return words.SOURCE_WORDS[self.asset.provenance.source_type]

    @property
    def variant(self) -> str:
        return "prepared" if self.asset.prepared else "original"

    @property
    def created_at(self) -> str | None:
        return instant(self.asset.created_at)


class SoundJobView(FollowedJob):
    """A job that makes a sound."""

    @property
    def status_words(self) -> str:
        return "Working" if self.status is JobStatus.PROCESSING else super().status_words

    @property
    def kind(self) -> str:
        return {JobType.INGEST: "Taking in", JobType.PREVIEW: "Preview"}.get(self.job.type, "Save")

    @property
    def asset_id(self) -> AssetId | None:
        """The asset it is about; None until an ingest has come to one."""
        if isinstance(self.job.request, EditRequest):
            return AssetId(self.job.request.recipe.asset_id)
        made = (self.job.result or {}).get("assetId")
        return AssetId(str(made)) if made else None

    @property
    def heard_at(self) -> str | None:
        return self._here(sound_link(self._services, self.job))
