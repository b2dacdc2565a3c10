"""Storage that fails under running work: a bucket that refuses, hangs and cuts off, a disk that is full."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.fault.audit import read_events
from tests.fault.farm import QUICK, Farm, open_farm
from tests.fault.jobs import Jobs
from tests.fault.orphans import files_of_nobody, processes_of_nobody
from tests.standins.r2 import KEY_ID, SECRET, R2StandIn, open_r2
from tests.standins.wire import Wire, open_wire
from tests.waiting import until

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def r2() -> Iterator[R2StandIn]:
    with open_r2() as running:
        yield running


@pytest.fixture(scope="module")
def wire(r2: R2StandIn) -> Iterator[Wire]:
    with open_wire(int(r2.endpoint.rpartition(":")[2]), speaks_resp=False) as running:
        yield running


@pytest.fixture(scope="module")
def farm(r2: R2StandIn, wire: Wire, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    bucket = {
        "ETHEREAL_STORAGE": "r2",
        "ETHEREAL_R2_ENDPOINT": f"http://127.0.0.1:{wire.port}",
        "ETHEREAL_R2_BUCKET": r2.bucket_name,
        "ETHEREAL_R2_ACCESS_KEY_ID": KEY_ID,
        "ETHEREAL_R2_SECRET_ACCESS_KEY": SECRET,
        "ETHEREAL_MAX_ATTEMPTS": "8",
    }
    with open_farm(tmp_path_factory.mktemp("farm"), settings=QUICK | bucket) as opened:
        yield opened
        assert processes_of_nobody(opened) == []
    assert files_of_nobody(opened) == []
    assert r2.unfinished() == []


def work(jobs: Jobs) -> list[str]:
    return [jobs.render(seed=1), jobs.preview(), jobs.preview()]


@pytest.mark.parametrize("kind", ["unavailable", "cut", "lost"])
def test_a_bucket_that_fails_for_a_while_costs_time_alone(jobs: Jobs, r2: R2StandIn, kind: str) -> None:
    asked = work(jobs)
    r2.fail(kind, times=12)  # type: ignore[arg-type]

    assert {jobs.wait(job_id)["status"] for job_id in asked} == {"complete"}
    r2.heal()


def test_a_bucket_that_says_nothing_costs_time_alone(jobs: Jobs, wire: Wire) -> None:
    asked = work(jobs)
    wire.hang()
    until(lambda: wire.waiting > 0)
    wire.heal()

    assert {jobs.wait(job_id)["status"] for job_id in asked} == {"complete"}


@contextmanager
def full_disk(folder: Path) -> Iterator[None]:
    """Let nothing more be written in `folder`."""
    try:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)], check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("only root can make a small disk")
    try:
        (folder / "ballast").write_bytes(bytes(60 << 10))
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_disk_that_is_full_for_a_while_costs_time_alone(farm: Farm, jobs: Jobs) -> None:
    with full_disk(farm.data / "scratch"):
        asked = jobs.preview()
        until(
            lambda: any((event.kind, event.job) == ("again", asked) for event in read_events(farm.database))
        )

    assert jobs.wait(asked)["status"] == "complete"
