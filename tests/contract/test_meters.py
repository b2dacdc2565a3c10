"""What numbers of all processes promise, held against each adapter."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from ethereal.embedded.broker import open_broker
from ethereal.meters import MemoryMeters, Meters, Series, count, observe
from ethereal.meters.names import FAILURES, METRICS, REAPER_RUNS, STEP_SECONDS, Kind
from ethereal.meters.redis import RedisMeters


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with open_broker(tmp_path_factory.mktemp("broker")) as url:
        yield url


@pytest.fixture(params=["memory", "redis"])
def meters(request: pytest.FixtureRequest, broker: str) -> Meters:
    return MemoryMeters() if request.param == "memory" else RedisMeters(broker)


def test_numbers_add_up_whoever_counts(meters: Meters) -> None:
    with ThreadPoolExecutor(4) as threads:
        for _ in range(20):
            threads.submit(count, meters, REAPER_RUNS)
    count(meters, FAILURES, "render_chunk", 'a "code"', by=2)
    observe(meters, STEP_SECONDS, 0.05, "plan_render", "done")
    observe(meters, STEP_SECONDS, 0.25, "plan_render", "done")
    observe(meters, STEP_SECONDS, 0.2, "plan_render", "done")
    observe(meters, STEP_SECONDS, 9999, "plan_render", "lost")

    done, lost = ("plan_render", "done"), ("plan_render", "lost")
    assert meters.read() == {
        Series("ethereal_reaper_runs_total", ()): 20,
        Series("ethereal_failures_total", ("render_chunk", 'a "code"')): 2,
        Series("ethereal_step_seconds", done, "0.05"): 1,
        Series("ethereal_step_seconds", done, "0.25"): 2,
        Series("ethereal_step_seconds", done, "sum"): pytest.approx(0.5),
        Series("ethereal_step_seconds", lost, "+Inf"): 1,
        Series("ethereal_step_seconds", lost, "sum"): 9999,
    }


def test_a_server_that_is_away_is_nobodys_error() -> None:
    meters = RedisMeters("redis://127.0.0.1:1/0")
    count(meters, REAPER_RUNS)

    assert meters.read() == {}


def test_names_are_those_of_prometheus() -> None:
    assert len({metric.name for metric in METRICS}) == len(METRICS)
    for metric in METRICS:
        assert metric.name.startswith("ethereal_")
        assert metric.name.endswith("_total") == (metric.kind is Kind.COUNTER)
        assert bool(metric.buckets) == (metric.kind is Kind.HISTOGRAM)
        assert list(metric.buckets) == sorted(set(metric.buckets))
