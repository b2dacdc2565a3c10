"""/healthz: the process answers. /readyz: what it needs answers too. /metrics: numbers for Prometheus."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

from flask import Blueprint, Response, jsonify
from flask.typing import ResponseReturnValue
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from ethereal.errors import EtherealError
from ethereal.jobs.model import Job, JobStatus
from ethereal.services import Services
from web import access
from web.face import face, services

logger = logging.getLogger(__name__)

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
@access.public
def alive() -> ResponseReturnValue:
    return {"status": "ok"}


@blueprint.get("/readyz")
@access.public
def ready() -> ResponseReturnValue:
    """200 when work can be taken; 503 naming every part that does not answer."""
    silent = {name: trouble for name, check in face().checks.items() if (trouble := _trouble(check))}
    if not silent:
        return {"status": "ok", "checks": dict.fromkeys(face().checks, "ok")}
    message = f"these parts do not answer: {', '.join(silent)}"
    details = {name: [trouble] for name, trouble in silent.items()}
    error = {"code": "UNAVAILABLE", "message": message, "details": details}
    return jsonify(error=error), 503, {"Retry-After": "5"}


@blueprint.get("/metrics")
@access.person_or_token
def metrics() -> ResponseReturnValue:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Jobs(services()))
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class _Jobs:
    """Counts of the job store at the moment they are asked for."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def collect(self) -> Iterator[GaugeMetricFamily]:
        counts = GaugeMetricFamily("ethereal_jobs", "Jobs by status.", labels=["status"])
        for status, count in self._services.jobs.counts().items():
            counts.add_metric([status], count)
        yield counts
        yield GaugeMetricFamily(
            "ethereal_oldest_pending_seconds", "Age of the job that has waited longest.", value=self._oldest()
        )

    def _oldest(self) -> float:
        job, cursor = None, None
        while True:
            page = self._services.jobs.list(status=JobStatus.PENDING, limit=500, cursor=cursor)
            job = page.jobs[-1] if page.jobs else job
            if (cursor := page.cursor) is None:
                return self._age(job) if job else 0.0

    def _age(self, job: Job) -> float:
        return (self._services.clock() - job.created_at).total_seconds()


def _trouble(check: Callable[[], None]) -> str | None:
    try:
        check()
    except EtherealError as error:
        logger.warning("not ready: %s", error)
        return str(error)
    return None
