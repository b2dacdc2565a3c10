"""A broker and workers started by hand: nothing guards them, so what outlives them is there to be found."""

from __future__ import annotations

import os
import runpy
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from unittest import mock

import psutil
from celery import Celery

from ethereal.bootstrap import build_services
from ethereal.embedded.broker import open_broker
from ethereal.jobs.model import Announcement, Job, StepKey, StepName
from ethereal.services import Services
from ethereal.settings import read_settings
from tasks.queue import CeleryTaskQueue
from tests.builders import add_to
from tests.waiting import until

ROOT = Path(__file__).parents[1]
PREPARE = StepKey(StepName.PREPARE_AUDIO)


@dataclass(frozen=True)
class Worker:
    """A Celery worker: its main process, and its log."""

    main: psutil.Process
    log: Path

    def children(self) -> list[psutil.Process]:
        """Its pool."""
        return self.main.children()

    def family(self) -> list[psutil.Process]:
        """Its pool and all that came from it."""
        return self.main.children(recursive=True)


@dataclass(frozen=True)
class SmallFarm:
    folder: Path
    environment: Mapping[str, str]
    services: Services  #: those of this test
    celery: Celery

    def submit(self, filename: str, **changes: object) -> Job:
        """A render that waits for its first step, and workers told of it."""
        job = add_to(self.services.jobs, datetime.now(UTC), filename=filename, **changes)
        self.services.queue.announce([Announcement(job.id, PREPARE)])
        return job

    @contextmanager
    def worker(
        self, *options: str, app: str = "tests.bodies", queues: str = "cpu", **environment: str
    ) -> Iterator[Worker]:
        """A worker that takes work; whatever is left of it at the end of the block is killed."""
        command = ["celery", "-A", app, "worker", "-n", f"w{time.monotonic_ns()}@%h", "-Q", queues]
        log = self.folder / f"worker-{time.monotonic_ns()}.log"
        with self.process([sys.executable, "-m", *command, *options], log, **environment) as popen:
            worker = Worker(psutil.Process(popen.pid), log)
            until(worker.children, logs=[log])
            try:
                yield worker
            finally:
                left = worker.family() if worker.main.is_running() else []
                for process in left:
                    with suppress(psutil.NoSuchProcess):
                        process.kill()

    @contextmanager
    def process(
        self, arguments: Sequence[str], log: Path, **environment: str
    ) -> Iterator[subprocess.Popen[bytes]]:
        with (
            log.open("wb") as output,
            subprocess.Popen(
                list(arguments),
                env={**self.environment, **environment},
                cwd=ROOT,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            ) as popen,
        ):
            try:
                yield popen
            finally:
                with suppress(ProcessLookupError):
                    popen.send_signal(signal.SIGCONT)
                    popen.kill()

    def processes(self) -> list[psutil.Process]:
        """Everything that runs with this farm's data directory in its environment."""
        return [process for process in psutil.process_iter() if self._is_ours(process)]

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            return process.environ().get("ETHEREAL_DATA_DIR") == self.environment["ETHEREAL_DATA_DIR"]
        except psutil.Error:
            return False


@contextmanager
def open_small_farm(folder: Path, **settings: str) -> Iterator[SmallFarm]:
    with open_broker(folder / "data") as broker_url:
        given = {f"ETHEREAL_{name.upper()}": value for name, value in settings.items()}
        environment = {
            **os.environ,
            **given,
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
            "PYTHONPATH": str(ROOT),
            "ETHEREAL_BROKER_URL": broker_url,
            "ETHEREAL_DATA_DIR": str(folder / "data"),
        }
        with mock.patch.dict(os.environ, environment, clear=True):
            policy = runpy.run_path(str(ROOT / "tasks" / "config.py"))
            settings_read = read_settings()
        with Celery("ethereal", set_as_current=False) as app:
            app.conf.update(
                {name: value for name, value in policy.items() if name[0] != "_" and name.islower()}
            )
            services = build_services(settings_read, queue=CeleryTaskQueue(app))
            try:
                yield SmallFarm(folder, environment, services, app)
            finally:
                services.jobs.close()


def alive(processes: Sequence[psutil.Process]) -> list[psutil.Process]:
    """Those of them that still run; a zombie does not."""
    found = []
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found
