"""Numbers of what all processes do, for Prometheus: hints for people, never the truth.

Workers add to them where the web app reads them, so one address tells of all hosts. `names.py` lists them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Protocol

from ethereal.meters.names import Metric

#: The part of a histogram that is the sum of what was observed; the others are the ends of its buckets.
SUM = "sum"


@dataclass(frozen=True)
class Series:
    """One number: a metric, the values of its labels in their order, and what part of a histogram it is."""

    name: str
    labels: tuple[str, ...]
    part: str = ""


class Meters(Protocol):
    """Where the numbers add up. Never raises when its server is away: then something was not counted."""

    def add(self, amounts: Mapping[Series, float]) -> None: ...

    def read(self) -> Mapping[Series, float]:
        """All of them since they began; a bucket has only what no smaller one holds."""
        ...


def count(meters: Meters, metric: Metric, *labels: str, by: float = 1) -> None:
    """Let a counter grow."""
    meters.add({Series(metric.name, labels): by})


def observe(meters: Meters, metric: Metric, value: float, *labels: str) -> None:
    """Add a value to a histogram."""
    end = next((end for end in metric.buckets if value <= end), None)
    part = "+Inf" if end is None else str(end)
    meters.add({Series(metric.name, labels, part): 1, Series(metric.name, labels, SUM): value})


class MemoryMeters:
    """The numbers of one process."""

    def __init__(self) -> None:
        self._numbers: dict[Series, float] = {}
        self._lock = Lock()

    def add(self, amounts: Mapping[Series, float]) -> None:
        with self._lock:
            for series, amount in amounts.items():
                self._numbers[series] = self._numbers.get(series, 0.0) + amount

    def read(self) -> Mapping[Series, float]:
        with self._lock:
            return dict(self._numbers)
