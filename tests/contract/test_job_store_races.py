"""Processes racing on one job store file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

RACER = """
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4
from ethereal.errors import ConflictError
from ethereal.jobs.database import open_file_database
from ethereal.jobs.migrate import migrate
from ethereal.jobs.model import Job, JobId, JobType, StepKey, StepName
from ethereal.jobs.request import RenderRequest
from ethereal.jobs.sql import SqlJobStore
database = open_file_database(Path(sys.argv[1]))
applied = migrate(database)
store, step = SqlJobStore(database), StepKey(StepName.PREPARE_AUDIO)
now, second = datetime.now(UTC), timedelta(seconds=30)
request = RenderRequest(audio_key="a", filename="a")
won = 0
for number in range(40):
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


def test_of_racing_processes_exactly_one_wins_each_claim_and_each_migration(tmp_path: Path) -> None:
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, str(tmp_path / "jobs.db")], stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    counts = [tuple(map(int, racer.communicate(timeout=120)[0].split())) for racer in racers]

    assert all(racer.returncode == 0 for racer in racers)
    assert sum(applied for applied, _ in counts) == 1
    assert sum(won for _, won in counts) == 40
    assert sum(won > 0 for _, won in counts) > 1, "one process did it all: nothing raced"
