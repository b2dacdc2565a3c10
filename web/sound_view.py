"""What the pages show of a sound, and of a job that makes one: an ingest, a preview, a save."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from ethereal.assets.model import Asset, AssetId
from ethereal.jobs.model import Job, JobStatus, JobType
from ethereal.jobs.request import EditRequest
from ethereal.services import Services
from web import words
from web.show import Standing, instant, sound_link, standings, title_of


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


class SoundJobView:
    """A job that makes a sound, in words and links."""

    def __init__(self, services: Services, job: Job, base_url: str) -> None:
        self._services = services
        self._base_url = base_url
        self.job = job
        self.id = job.id
        self.status = job.status
        self.title = title_of(job)
        self.error = job.error
        self.created_at = instant(job.created_at)

    @property
    def is_final(self) -> bool:
        return self.status.is_final

    @property
    def status_words(self) -> str:
        return "Working" if self.status is JobStatus.PROCESSING else words.STATUS_WORDS[self.status]

    @cached_property
    def _standing(self) -> Standing:
        return standings(self._services, [self.job])[0]

    @property
    def stage_words(self) -> str:
        return words.stage_words(self.job, self._standing.place)

    @property
    def percent(self) -> int:
        return int(self._standing.percent)

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
        """A link to the sound; links into this app lose their host, so they work under any name of it."""
        link = sound_link(self._services, self.job)
        return link.removeprefix(self._base_url) if link else None

    @property
    def help(self) -> str:
        return words.help_for(self.error.code, retryable=self.error.retryable) if self.error else ""
