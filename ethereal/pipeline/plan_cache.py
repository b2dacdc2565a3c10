"""Plans on this host: each fetched once, appearing whole, verified by its hash before anything is drawn."""

from __future__ import annotations

import os
import shutil
import tarfile
from pathlib import Path

from ethereal.beat import Beat, no_beat
from ethereal.errors import (
    MissingPlanArtifactError,
    NotFoundError,
    PlanHashMismatchError,
    RenderError,
)
from ethereal.jobs.model import StepKey, StepName
from ethereal.pipeline.attempt import Attempt
from ethereal.pipeline.folders import plan_folder
from ethereal.render.plan import Plan, load_plan
from ethereal.scratch import open_scratch
from ethereal.services import Services
from ethereal.storage import keys
from ethereal.storage.keys import StorageKey
from ethereal.storage.store import ObjectStore

#: Plans a host keeps; a plan in use is always among the newest.
_KEPT = 16


def pack_plan(plan_dir: Path, archive: Path) -> Path:
    """Write the plan as a tar with fixed owner, mode and times: equal plans give equal bytes."""
    with tarfile.open(archive, "w", format=tarfile.PAX_FORMAT) as tar:
        for path in sorted(path for path in plan_dir.rglob("*") if path.is_file()):
            member = tarfile.TarInfo(path.relative_to(plan_dir).as_posix())
            member.size, member.mode = path.stat().st_size, 0o644
            with path.open("rb") as file:
                tar.addfile(member, file)
    return archive


def ensure_plan(services: Services, plan_hash: str, chunk_count: int, *, beat: Beat = no_beat) -> Path:
    """Return the plan's folder on this host, fetched first when it is not there.

    Raise MissingPlanArtifactError when the object store has no such plan.
    """
    target = plan_folder(services, plan_hash, chunk_count)
    if target.is_dir():
        os.utime(target)
        return target
    with open_scratch(target.parent, target.name) as folder:
        key = keys.plan_archive(plan_hash, chunk_count)
        return _settle(fetch_plan(services.objects, key, folder, beat=beat), target)


def fetch_plan(objects: ObjectStore, key: StorageKey, folder: Path, *, beat: Beat = no_beat) -> Path:
    """Unpack the archive `key` in the empty `folder`, unverified; return the plan's directory.

    Raise MissingPlanArtifactError when the object store has no such archive, PlanHashMismatchError when it
    is damaged.
    """
    try:
        archive = objects.fetch(key, folder / "plan.tar", beat=beat)
    except NotFoundError as error:
        raise MissingPlanArtifactError(f"{key} is not in the object store") from error
    return unpack_plan(archive, folder / "plan")


def unpack_plan(archive: Path, directory: Path) -> Path:
    """Unpack a plan as `directory`, unverified; raise PlanHashMismatchError when the archive is damaged."""
    try:
        with tarfile.open(archive) as tar:
            tar.extractall(directory, filter="data")
    except tarfile.TarError as error:
        raise PlanHashMismatchError(f"{archive.name} is no whole archive: {error}") from error
    return directory


def keep_plan(services: Services, plan_hash: str, chunk_count: int, plan_dir: Path) -> Path:
    """Make a plan that was made here this host's copy."""
    target = plan_folder(services, plan_hash, chunk_count)
    target.parent.mkdir(parents=True, exist_ok=True)
    return _settle(plan_dir, target)


def open_plan(attempt: Attempt) -> tuple[Path, Plan]:
    """The job's plan on this host, verified; a damaged copy goes, and the next try fetches another."""
    plan_hash, chunk_count = _decided(attempt)
    plan_dir = ensure_plan(attempt.services, plan_hash, chunk_count)
    try:
        made = load_plan(plan_dir)
        if made.plan_hash != plan_hash:
            raise PlanHashMismatchError(f"plan {plan_hash} holds plan {made.plan_hash}")
    except RenderError:
        shutil.rmtree(plan_dir, ignore_errors=True)
        raise
    return plan_dir, made


def _decided(attempt: Attempt) -> tuple[str, int]:
    """The plan's hash and the number of its chunks, as the plan step found out."""
    planned = attempt.steps.get(StepKey(StepName.PLAN_RENDER))
    if planned is None or not planned.result:
        raise RenderError("this job has no plan")
    return str(planned.result["planHash"]), int(str(planned.result["chunks"]))


def _settle(made: Path, target: Path) -> Path:
    """Rename into place; when somebody else was first, theirs is as good."""
    _evict(target.parent)
    try:
        made.rename(target)
    except OSError:
        if not target.is_dir():
            raise
    return target


def _evict(folder: Path) -> None:
    """Let the plans go that were not used for the longest."""
    plans = sorted((path for path in folder.iterdir() if path.name[0] != "."), key=_last_use, reverse=True)
    for plan in plans[_KEPT:]:
        shutil.rmtree(plan, ignore_errors=True)


def _last_use(plan: Path) -> float:
    try:
        return plan.stat().st_mtime
    except FileNotFoundError:
        return 0.0
