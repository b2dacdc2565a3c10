"""GET /metrics: what Prometheus reads. Gauges come from the job store, all else from what workers counted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics_core import Metric as Family

from ethereal.meters import SUM, Series
from ethereal.meters.names import JOBS, METRICS, OLDEST_PENDING, QUEUE_DEPTH, Kind, Metric
from ethereal.services import Services
from web import access
from web.face import services

blueprint = Blueprint("metrics", __name__)


@blueprint.get("/metrics")
@access.person_or_token
def show() -> ResponseReturnValue:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Numbers(services()))
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class _Numbers:
    """All metrics at the moment they are asked for."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def collect(self) -> Iterator[Family]:
        yield from self._of_the_store()
        known = self._services.meters.read()
        for metric in METRICS:
            if metric.kind is Kind.COUNTER:
                yield _counter(metric, known)
            elif metric.kind is Kind.HISTOGRAM:
                yield _histogram(metric, known)

    def _of_the_store(self) -> Iterator[Family]:
        now = self._services.clock()
        backlog = self._services.jobs.backlog(now=now)
        waited = (now - backlog.oldest).total_seconds() if backlog.oldest else 0.0
        yield _gauge(JOBS, {(status,): count for status, count in self._services.jobs.counts().items()})
        yield _gauge(QUEUE_DEPTH, {(step,): count for step, count in backlog.steps.items()})
        yield _gauge(OLDEST_PENDING, {(): waited})


def _gauge(metric: Metric, numbers: Mapping[tuple[str, ...], float]) -> Family:
    family = GaugeMetricFamily(metric.name, metric.help, labels=metric.labels)
    for labels, number in numbers.items():
        family.add_metric(labels, number)
    return family


def _counter(metric: Metric, known: Mapping[Series, float]) -> Family:
    """One without labels is there from the start: an alert on its growth must see it at 0."""
    family = CounterMetricFamily(metric.name.removesuffix("_total"), metric.help, labels=metric.labels)
    numbers = {series.labels: number for series, number in known.items() if series.name == metric.name}
    for labels, number in (numbers or {(): 0.0} if not metric.labels else numbers).items():
        family.add_metric(labels, number)
    return family


def _histogram(metric: Metric, known: Mapping[Series, float]) -> Family:
    family = HistogramMetricFamily(metric.name, metric.help, labels=metric.labels)
    parts: dict[tuple[str, ...], dict[str, float]] = defaultdict(dict)
    for series, number in known.items():
        if series.name == metric.name:
            parts[series.labels][series.part] = number
    for labels, numbers in parts.items():
        family.add_metric(labels, _cumulative(metric, numbers), numbers.get(SUM, 0.0))
    return family


def _cumulative(metric: Metric, numbers: Mapping[str, float]) -> list[tuple[str, float]]:
    """What is at or below the end of each bucket."""
    buckets, below = [], 0.0
    for end in (*map(str, metric.buckets), "+Inf"):
        below += numbers.get(end, 0.0)
        buckets.append((end, below))
    return buckets
