"""What a farm has left behind that belongs to nobody."""

from __future__ import annotations

import os
import re
import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psutil

from ethereal.bootstrap import build_services
from ethereal.leftovers import sweep_leftovers
from ethereal.pipeline.library import sweep_assets
from ethereal.pipeline.reap import sweep_uploads
from ethereal.settings import Settings
from tests.builders import MemoryQueue
from tests.fault.audit import statuses
from tests.fault.farm import Farm

_JOB = re.compile(r"^renders/([0-9a-f-]{36})/")
_ASSET = re.compile(r"^assets/([0-9a-f-]{36})/")
_CACHES = ("plans", "prepared")


def processes_of_nobody(farm: Farm, seconds: float = 10.0) -> list[str]:
    """What runs and has no process of the farm above it, for longer than an end takes."""
    deadline = time.monotonic() + seconds
    while (left := _strays(farm)) and time.monotonic() < deadline:
        time.sleep(0.2)
    return left


def _strays(farm: Farm) -> list[str]:
    ours = {daemon.popen.pid for daemon in farm.daemons.values() if daemon.popen and daemon.lives}
    found = []
    for process in farm.processes():
        try:
            above = {process.pid, *(parent.pid for parent in process.parents())}
            if not above & ours and process.status() != psutil.STATUS_ZOMBIE:
                found.append(f"{process.pid} {' '.join(process.cmdline())}")
        except psutil.NoSuchProcess:
            continue
    return found


def files_of_nobody(farm: Farm) -> list[str]:
    """Objects of jobs and sounds that are not there, half-written ones, and working files.

    The sweeps of the product are let run as they would a day later. Nothing may be under way.
    """
    _sweep(farm)
    return [*_objects(farm), *_working_files(farm)]


def _objects(farm: Farm) -> list[str]:
    ends, root = statuses(farm.database), farm.data / "objects"
    with closing(sqlite3.connect(farm.database)) as opened:
        assets = {row[0] for row in opened.execute("SELECT id FROM assets")}
    keys = [path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()]
    return [key for key in keys if _is_nobodys(key, ends, assets)]


def _is_nobodys(key: str, ends: dict[str, str], assets: set[str]) -> bool:
    if "/." in key or key.startswith("."):
        return True
    if job := _JOB.match(key):
        return ends.get(job[1]) != "complete"
    if asset := _ASSET.match(key):
        return asset[1] not in assets
    return not key.startswith(("plans/", "reuse/"))


def _working_files(farm: Farm) -> list[str]:
    scratch = farm.data / "scratch"
    left = [path for path in scratch.glob("*") if path.name not in _CACHES]
    left += [path for path in (farm.folder / "tmp").glob("*") if not _is_empty(path)]
    left += list((scratch / "prepared").glob("*"))
    return [path.relative_to(farm.folder).as_posix() for path in left]


def _is_empty(path: Path) -> bool:
    """What multiprocessing leaves of a process that was killed is an empty directory of its own."""
    return path.name.startswith("pymp-") and not any(path.iterdir())


def _sweep(farm: Farm) -> None:
    settings = Settings(
        _env_file=None,
        data_dir=farm.data,
        database_url=f"file:{farm.database}",
    )
    services = build_services(settings, queue=MemoryQueue())
    later = replace(services, clock=lambda: services.clock() + timedelta(hours=25))
    try:
        sweep_uploads(later)
        sweep_assets(later)
    finally:
        services.jobs.close()
    yesterday = time.time() - timedelta(hours=25).total_seconds()
    for path in (settings.scratch / "prepared").glob("*"):
        os.utime(path, (yesterday, yesterday))
    sweep_leftovers(settings.scratch)
