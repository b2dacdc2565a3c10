"""What the pages show of a job and of a form."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from flask import url_for

from ethereal.jobs.model import Job
from ethereal.jobs.request import RenderRequest, RenderResult
from ethereal.render.containers import CONTAINERS
from ethereal.render.formats import FORMATS, Projection, parse_fps
from ethereal.services import Services
from web import catalog, words
from web.followed import FollowedJob
from web.show import Standing, result_of, sign_poster, sign_video, standings


@dataclass(frozen=True)
class Chosen:
    """What is chosen in the form when it is shown."""

    template: str
    output_format: str
    fps: int
    quality: str
    container: str
    background: str
    title: str
    visual_config: str
    url: str
    asset_id: str

    @classmethod
    def of(cls, fields: Mapping[str, str]) -> Chosen:
        """The choices among these fields; what is unknown falls back to the usual."""
        usual = {name: field.default for name, field in RenderRequest.model_fields.items()}
        fps = fields.get("fps", "")
        return cls(
            template=_one_of(
                fields.get("template"), [c.id for c in catalog.template_cards()], usual["template"]
            ),
            output_format=_one_of(
                fields.get("outputFormat"), [c.id for c in catalog.format_cards()], usual["output_format"]
            ),
            fps=int(fps) if fps.isdecimal() and int(fps) in catalog.FPS else usual["fps"],
            quality=_one_of(
                fields.get("quality"), [name for name, _, _ in catalog.quality_names()], usual["quality"]
            ),
            container=_one_of(fields.get("container"), list(CONTAINERS), usual["container"]),
            background=_one_of(fields.get("background"), ["transparent"], usual["background"]),
            title=fields.get("title", "")[:200],
            visual_config=fields.get("visualConfig", "")[:4000],
            url=fields.get("url", "")[:4096],
            asset_id=fields.get("assetId", "")[:36],
        )


class JobView(FollowedJob):
    """A render."""

    kind = "Render"

    def __init__(self, services: Services, job: Job, base_url: str, standing: Standing | None = None) -> None:
        super().__init__(services, job, base_url, standing)
        self.request = job.asked(RenderRequest)

    @property
    def road(self) -> list[tuple[str, str, str]]:
        """Each part of the road: its name, the stages in it, and whether it is done, current or to come."""
        here = words.road_place(self.job)
        state = [
            "done" if at < here else "current" if at == here else "ahead" for at in range(len(words.ROAD))
        ]
        return [(name, " ".join(sorted(stages)), state[at]) for at, (name, stages) in enumerate(words.ROAD)]

    @property
    def template(self) -> catalog.TemplateCard | None:
        return catalog.template_card(self.request.template)

    @property
    def format(self) -> catalog.FormatCard | None:
        return catalog.format_card(self.request.output_format)

    @property
    def quality(self) -> str:
        return catalog.QUALITY_WORDS.get(self.request.quality, (self.request.quality,))[0]

    @property
    def container(self) -> str:
        name = catalog.CONTAINER_WORDS[self.request.container][0]
        return f"{name}, transparent" if self.request.background == "transparent" else name

    @property
    def projection(self) -> Projection:
        return FORMATS[self.request.output_format].projection

    @property
    def plays_here(self) -> bool:
        """Whether browsers play it."""
        return self.request.container in ("mp4", "webm")

    @property
    def rate(self) -> str:
        return words.rate_words(parse_fps(self.request.fps))

    @cached_property
    def result(self) -> RenderResult | None:
        return result_of(self.job)

    @property
    def length(self) -> str:
        return words.clock_words(self.result.duration_seconds) if self.result else ""

    @property
    def size(self) -> str:
        return words.size_words(self.result.size_bytes) if self.result else ""

    @property
    def took(self) -> str:
        if not self.job.finished_at:
            return ""
        return words.span_words((self.job.finished_at - self.job.created_at).total_seconds())

    @property
    def video(self) -> str | None:
        return self._here(sign_video(self._services, self.job, download=False))

    @property
    def download(self) -> str | None:
        return self._here(sign_video(self._services, self.job, download=True))

    @property
    def poster(self) -> str | None:
        return self._here(sign_poster(self._services, self.job))

    @property
    def again(self) -> str:
        """The form with the settings of this job."""
        request = self.request
        config = json.dumps(request.parameters) if request.parameters else None
        return url_for(
            "pages.create",
            template=request.template,
            outputFormat=request.output_format,
            fps=request.fps,
            quality=request.quality,
            container=request.container,
            background=None if request.background == "scene" else request.background,
            title=request.title or None,
            visualConfig=config,
            assetId=request.asset_id,
            url=request.audio_url or None,
        )


def views_of(services: Services, jobs: Sequence[Job], base_url: str) -> list[JobView]:
    """The jobs of a list, whose standings are asked for at once."""
    stands = zip(jobs, standings(services, jobs), strict=True)
    return [JobView(services, job, base_url, standing) for job, standing in stands]


def _one_of(value: str | None, choices: list[str], usual: str) -> str:
    return value if value in choices else usual
