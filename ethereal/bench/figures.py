"""Many measured times as the few numbers that are told of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil


@dataclass(frozen=True)
class Spread:
    """Milliseconds; a percentile is a time that was measured, the smallest that so many are not above."""

    count: int
    p50: float
    p95: float
    p99: float
    most: float


def spread_of(seconds: Sequence[float]) -> Spread | None:
    """None of no times."""
    if not seconds:
        return None
    ordered = [round(1000 * value, 2) for value in sorted(seconds)]

    def percentile(part: float) -> float:
        return ordered[max(0, ceil(part * len(ordered)) - 1)]

    return Spread(len(ordered), percentile(0.5), percentile(0.95), percentile(0.99), ordered[-1])
