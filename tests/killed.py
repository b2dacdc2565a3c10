"""Work on sound in a process of its own that kills itself (kill -9) before a chosen write."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from ethereal.assets.sql import SqlAssetStore
from ethereal.jobs.file_database import open_file_database
from ethereal.jobs.migrate import migrate
from ethereal.jobs.model import JobId
from ethereal.jobs.sql import SqlJobStore
from ethereal.pipeline.edit import save
from ethereal.pipeline.ingest import ingest
from ethereal.services import Services
from tests.builders import HandClock, make_services

STEPS: dict[str, Callable[[Services, JobId], bool]] = {"ingest": ingest, "save": save}
WRITES = frozenset(
    "claim report finish fail add note prepare drop touch put delete delete_prefix".split()  # noqa: SIM905
)


@contextmanager
def open_kept_services(folder: Path, clock: HandClock) -> Iterator[Services]:
    """Services whose jobs and assets are in a file, for several processes."""
    with closing(open_file_database(folder / "jobs.db")) as database:
        migrate(database)
        yield replace(
            make_services(folder, clock=clock), jobs=SqlJobStore(database), assets=SqlAssetStore(database)
        )


def die_in(step: str, folder: Path, job_id: JobId, now: datetime, write: int) -> bool:
    """Do a step in a process that kills itself before its n-th write; False when it had fewer."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    process = context.Process(target=_work, args=(step, folder, job_id, now, write))
    process.start()
    process.join()
    assert process.exitcode in (0, -signal.SIGKILL)
    return process.exitcode != 0


def _work(step: str, folder: Path, job_id: JobId, now: datetime, write: int) -> None:
    left = [write]
    with open_kept_services(folder, HandClock(now)) as services:
        mortal = {name: _Mortal(getattr(services, name), left) for name in ("jobs", "assets", "objects")}
        STEPS[step](replace(services, **mortal), job_id)  # type: ignore[arg-type]


@dataclass(frozen=True)
class _Mortal:
    """A port; `left` counts the writes of all of them down."""

    port: object
    left: list[int]

    def __getattr__(self, name: str) -> Any:
        if name in WRITES:
            self.left[0] -= 1
            if self.left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return getattr(self.port, name)
