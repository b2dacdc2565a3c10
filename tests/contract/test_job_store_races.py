"""Processes racing on one job store."""

from __future__ import annotations

import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest

from tests.standins.hrana import open_hrana

RACER = """
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from uuid import uuid4
from ethereal.errors import ConflictError
from ethereal.jobs.file_database import open_file_database
from ethereal.jobs.migrate import migrate
from ethereal.jobs.model import Job, JobId, JobType, StepKey, StepName
from ethereal.jobs.remote_database import open_remote_database
from ethereal.jobs.request import RenderRequest
from ethereal.jobs.sql import SqlJobStore
kind, where = sys.argv[1:]
print("ready", flush=True)
sys.stdin.readline()
database = open_file_database(Path(where)) if kind == "file" else open_remote_database(where)
applied = migrate(database)
print("ready", flush=True)
sys.stdin.readline()
store, step = SqlJobStore(database), StepKey(StepName.PREPARE_AUDIO)
now, second = datetime.now(UTC), timedelta(seconds=30)
request = RenderRequest(audio_key="a", filename="a")
won = 0
for number in Random(os.getpid()).sample(range(30), 30):
    job_id = JobId(f"job-{number}")
    try:
        store.add(Job(id=job_id, type=JobType.RENDER, request=request, created_at=now, updated_at=now), step)
    except ConflictError:
        pass
    try:
        store.claim(job_id, step, owner=str(uuid4()), now=now + second, lease=second, time_limit=second)
        won += 1
    except ConflictError:
        pass
store.close()
print(len(applied), won)
"""


def race(kind: str, where: str) -> list[tuple[int, int]]:
    """How many migrations and claims each of four processes won."""
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, kind, where],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    told = []
    for _ in ("migrations", "claims"):
        _start_together(racers)
    for racer in racers:
        told.append(racer.communicate(timeout=120)[0].split())
        assert racer.returncode == 0
    return [(int(applied), int(won)) for applied, won in told]


def _start_together(racers: list[subprocess.Popen[str]]) -> None:
    """Wait until each has come here, then let all go on."""
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()


@pytest.mark.parametrize("kind", ["file", "remote"])
def test_of_racing_processes_exactly_one_wins_each_claim_and_each_migration(
    kind: str, tmp_path: Path
) -> None:
    if kind == "file":
        counts = race(kind, str(tmp_path / "jobs.db"))
    else:
        with open_hrana(tmp_path / "jobs.db") as server:
            counts = race(kind, server.url)

    there = list(resources.files("ethereal.jobs.migrations").glob("*.sql"))  # type: ignore[attr-defined]
    assert sum(applied for applied, _ in counts) == len(there), "each migration is applied once"
    assert sum(won for _, won in counts) == 30
    assert sum(won > 0 for _, won in counts) > 1, "one process did it all: nothing raced"
