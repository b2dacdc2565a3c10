"""Faults at exact moments: a process that loads this does what a fate says when its job reaches a move.

A fate is a file of the folder in FAULT_DIR: FATES/TAG.N.json, for the jobs whose sound or clip is named TAG.
Whoever can remove it has it, so each comes true once. No line of the product knows of this.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import wraps
from pathlib import Path
from typing import Any, Literal

from ethereal import bootstrap
from ethereal.assets.sql import SqlAssetStore
from ethereal.errors import ConflictError, LeaseLostError
from ethereal.jobs.model import JobId, Lease
from ethereal.jobs.sql import SqlJobStore
from ethereal.storage.local import LocalObjectStore
from ethereal.storage.r2 import R2ObjectStore

Act = Literal["kill", "kill-main", "stop"]
When = Literal["before", "after"]
FOLDER = Path(os.environ.get("FAULT_DIR", ""))
AHEAD = timedelta(seconds=float(os.environ.get("FAULT_CLOCK_AHEAD", "0")))
FATES, JOURNAL, OWN_KIND = "fates", "journal", "f" * 64
MOVES = ("add", "claim", "report", "commit", "take_over", "finish", "fail", "redo")
REAPER, ANYBODY = "reaper", "anybody"  # tags
_doing: list[tuple[str, str]] = []  # the tag and the step that this process has claimed


def foretell(
    folder: Path, tag: str, move: str, *, step: str = "", when: When = "before", act: Act = "kill"
) -> None:
    """Let the next process that comes to that move for a job named `tag` die there."""
    fate = {"move": move, "step": step, "when": when, "act": act}
    target = folder / FATES / f"{tag}.{time.monotonic_ns()}.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(".new")
    partial.write_text(json.dumps(fate))
    partial.rename(target)


def untold(folder: Path) -> list[str]:
    """The fates that have not come true."""
    return sorted(path.name for path in (folder / FATES).glob("*.json"))


def note(what: str) -> None:
    """Write a line down for good."""
    line = f"{os.getpid()} {what}\n".encode()
    journal = os.open(FOLDER / JOURNAL, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(journal, line)
    finally:
        os.close(journal)


def meet(tag: str, move: str, step: str, when: str) -> None:
    """Let what was foretold for this moment happen."""
    for path in [*(FOLDER / FATES).glob(f"{tag}.*.json"), *(FOLDER / FATES).glob(f"{ANYBODY}.*.json")]:
        try:
            fate = json.loads(path.read_text())
        except FileNotFoundError:
            continue
        if (fate["move"], fate["when"]) == (move, when) and fate["step"] in ("", step) and _taken(path):
            note(f"{fate['act']} {when} {move} of {step} for {tag}")
            _suffer(fate["act"])


def _taken(path: Path) -> bool:
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    return True


def _suffer(act: Act) -> None:
    if act == "kill-main":
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(0.5)  # the processes of a pool end with it; one of the web app notices later
        return
    os.kill(os.getpid(), signal.SIGKILL if act == "kill" else signal.SIGSTOP)


def tag_of(job: Any) -> str:
    """What a test calls a job: the name of its sound, or of its first clip."""
    recipe = getattr(job.request, "recipe", None)
    return recipe.clips[0].id if recipe else Path(getattr(job.request, "filename", "")).stem


@contextmanager
def _around(move: str, tag: str, step: str) -> Iterator[None]:
    meet(tag, move, step, "before")
    yield
    meet(tag, move, step, "after")


def _watched(move: str, method: Callable[..., Any]) -> Callable[..., Any]:
    """A move of the job store, watched."""

    @wraps(method)
    def call(self: SqlJobStore, *args: Any, **kwargs: Any) -> Any:
        tag, step = _about(self, args)
        if move == "claim":
            note(f"asked {step} {args[0]}")
        try:
            with _around(move, tag, step):
                done = method(self, *args, **kwargs)
                if move == "claim":
                    _doing[:] = [(tag, step)]
                return done
        except LeaseLostError:
            note(f"fenced {move} of {step}")
            raise
        except ConflictError:
            note(f"refused {move} of {step}")
            raise

    return call


def _about(store: SqlJobStore, args: tuple[Any, ...]) -> tuple[str, str]:
    first = args[0]
    if isinstance(first, Lease):
        return (_doing[0][0] if _doing else "", str(first.step.name))
    if hasattr(first, "request"):
        return tag_of(first), ""
    return _tag_of_id(store, first), str(args[1].name)


def _tag_of_id(store: SqlJobStore, job_id: JobId) -> str:
    """Looked up where anything is foretold at all."""
    if not (FOLDER / FATES).is_dir():
        return ""
    try:
        return tag_of(store.get(job_id))
    except Exception:
        return ""


def _put(method: Callable[..., Any]) -> Callable[..., Any]:
    """A put of an object, watched as a move of the step that puts it."""

    @wraps(method)
    def call(self: Any, key: str, *args: Any, **kwargs: Any) -> Any:
        tag, step = _doing[0] if _doing else ("", "")
        with _around("put", tag, step):
            return method(self, key, *args, **kwargs)

    return call


def _of_nobody(move: str, method: Callable[..., Any]) -> Callable[..., Any]:
    """A move that is about no job in particular: the reaper's."""

    @wraps(method)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        with _around(move, REAPER, ""):
            return method(self, *args, **kwargs)

    return call


def install() -> None:
    """Watch the moves of this process, and let it draw with numpy what a browser would draw."""
    from tasks import kind
    from tests.render_fakes import open_numpy

    for move in MOVES:
        setattr(SqlJobStore, move, _watched(move, getattr(SqlJobStore, move)))
    for move in ("release_expired", "take_due"):
        setattr(SqlJobStore, move, _of_nobody(move, getattr(SqlJobStore, move)))
    for name in ("add", "note"):
        setattr(SqlAssetStore, name, _of_step(name, getattr(SqlAssetStore, name)))
    for store in (LocalObjectStore, R2ObjectStore):
        store.put = _put(store.put)  # type: ignore[method-assign]
    bootstrap.renderer_of = lambda settings: open_numpy
    bootstrap._now = lambda: datetime.now(UTC) + AHEAD
    kind.learn = lambda: kind._learnt.__setitem__(slice(None), [OWN_KIND])


def _of_step(move: str, method: Callable[..., Any]) -> Callable[..., Any]:
    """A move of the asset store, watched as one of the step that makes it."""

    @wraps(method)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        tag, step = _doing[0] if _doing else ("", "")
        with _around(f"asset-{move}", tag, step):
            return method(self, *args, **kwargs)

    return call
