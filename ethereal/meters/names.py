"""Every metric that `GET /metrics` tells: dashboards and alerts may name these and no others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    COUNTER = "counter"
    GAUGE = "gauge"  #: asked of the job store whenever somebody looks
    HISTOGRAM = "histogram"


@dataclass(frozen=True)
class Metric:
    """`buckets` of a histogram are upper ends, the last one of which is never the highest there is."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    buckets: Sequence[float] = ()

    @property
    def series(self) -> tuple[str, ...]:
        """The names under which a query finds its numbers."""
        if self.kind is Kind.HISTOGRAM:
            return tuple(f"{self.name}_{part}" for part in ("bucket", "sum", "count"))
        return (self.name,)


_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0)
_FPS = (2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 240.0)

JOBS = Metric("ethereal_jobs", Kind.GAUGE, "Jobs by status.", ("status",))
QUEUE_DEPTH = Metric("ethereal_queue_depth", Kind.GAUGE, "Steps that wait for a worker.", ("step",))
OLDEST_PENDING = Metric(
    "ethereal_oldest_pending_seconds", Kind.GAUGE, "Age of the job that has waited longest."
)
STEP_SECONDS = Metric(
    "ethereal_step_seconds",
    Kind.HISTOGRAM,
    "How long attempts of each step took, by how they ended: done, failed or lost.",
    ("step", "outcome"),
    _SECONDS,
)
FAILURES = Metric("ethereal_failures_total", Kind.COUNTER, "Attempts that failed, by code.", ("step", "code"))
JOBS_FAILED = Metric("ethereal_jobs_failed_total", Kind.COUNTER, "Jobs that failed.", ("type", "code"))
LEASES_EXPIRED = Metric(
    "ethereal_leases_expired_total", Kind.COUNTER, "Leases that ran out: a worker died or hung."
)
REAPER_RUNS = Metric("ethereal_reaper_runs_total", Kind.COUNTER, "Looks of the reaper over all jobs.")
REAPER_ACTIONS = Metric(
    "ethereal_reaper_actions_total", Kind.COUNTER, "What the reaper put right.", ("action",)
)
FRAMES_DRAWN = Metric("ethereal_frames_drawn_total", Kind.COUNTER, "Frames drawn by the farm.")
RENDER_FPS = Metric(
    "ethereal_render_fps",
    Kind.HISTOGRAM,
    "Frames a second of each chunk that the farm drew, its browser open.",
    (),
    _FPS,
)

METRICS = (
    JOBS,
    QUEUE_DEPTH,
    OLDEST_PENDING,
    STEP_SECONDS,
    FAILURES,
    JOBS_FAILED,
    LEASES_EXPIRED,
    REAPER_RUNS,
    REAPER_ACTIONS,
    FRAMES_DRAWN,
    RENDER_FPS,
)
