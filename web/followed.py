"""What every page of a job shows of it, whatever it makes: words, percent and links."""

from __future__ import annotations

from functools import cached_property

from ethereal.jobs.model import Job
from ethereal.services import Services
from web import words
from web.show import Standing, instant, standings, title_of


class FollowedJob:
    """One job in words and links. Links into this app lose their host, so they work under any name of it."""

    def __init__(self, services: Services, job: Job, base_url: str, standing: Standing | None = None) -> None:
        self._services = services
        self._known = standing
        self._base_url = base_url
        self.job = job
        self.id = job.id
        self.status = job.status
        self.title = title_of(job)
        self.created_at = instant(job.created_at)
        self.error = job.error

    @property
    def is_final(self) -> bool:
        return self.status.is_final

    @property
    def status_words(self) -> str:
        return words.STATUS_WORDS[self.status]

    @property
    def stage_words(self) -> str:
        return words.stage_words(self.job, self._standing.place)

    @property
    def percent(self) -> int:
        return int(self._standing.percent)

    @property
    def eta_words(self) -> str:
        eta = self._standing.eta
        return words.eta_words(eta.seconds, eta.low, eta.high) if eta else ""

    @property
    def help(self) -> str:
        return words.help_for(self.error.code, retryable=self.error.retryable) if self.error else ""

    @cached_property
    def _standing(self) -> Standing:
        return self._known or standings(self._services, [self.job])[0]

    def _here(self, link: str | None) -> str | None:
        return link.removeprefix(self._base_url) if link else None
