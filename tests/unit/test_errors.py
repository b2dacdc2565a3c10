"""Every error has one code, one rule for another try, a line in the docs, and places that raise it."""

from __future__ import annotations

import ast
import builtins
import importlib
import pickle
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from types import ModuleType

import pytest

from ethereal.errors import (
    ChunkCorruptError,
    EtherealError,
    LeaseLostError,
    Retry,
    all_errors,
    is_worth_another,
)
from ethereal.jobs.model import JobStatus, StepKey, StepName
from ethereal.pipeline.attempt import Attempt, run_step
from ethereal.pipeline.reap import reap
from ethereal.services import Services
from tests.builders import HandClock, add_job, make_services
from web.error_table import error_table, public_errors
from web.show import job_json

ROOT = Path(__file__).parents[2]
PREPARE = StepKey(StepName.PREPARE_AUDIO)

#: What the promises of rendering say, code by code.
RENDERING = {
    "INVALID_CONFIG": Retry.NEVER,
    "FORMAT_NOT_SUPPORTED_IN_DISTRIBUTED": Retry.NEVER,
    "PLAN_TOO_LARGE": Retry.NEVER,
    "MISSING_PLAN_ARTIFACT": Retry.AFTER_FETCH,
    "PLAN_HASH_MISMATCH": Retry.AFTER_FETCH,
    "CHUNK_INDEX_OUT_OF_RANGE": Retry.NEVER,
    "PLAN_PROTOCOL_UNSUPPORTED": Retry.NEVER,
    "ENCODER_VERSION_MISMATCH": Retry.ELSEWHERE,
    "RENDERER_MISMATCH": Retry.ELSEWHERE,
    "CHUNK_CORRUPT": Retry.REDO,
    "SCENE_FAILED": Retry.ONCE,
    "BROWSER_CRASHED": Retry.ELSEWHERE,
    "OUT_OF_DISK": Retry.ELSEWHERE,
}
TRIES = {Retry.NEVER: 1, Retry.REDO: 1, Retry.ONCE: 2, Retry.AFTER_FETCH: 2}

#: Raised and caught within one module, or by its one caller: they reach nobody else.
INTERNAL = {
    ("beside", "_StoppedError"),
    ("boxes", "ValueError"),
    ("sphere_boxes", "ValueError"),
    ("chunk_file", "ValueError"),
    ("gop_encoders", "_StoppedError"),
}
#: Errors of ours that were caught or kept, and are raised again.
KEPT = {("local_farm", "error"), ("chunk_objects", "error"), ("chromium", "self._browser.failure")}

KINDS = list(public_errors())
TELLING = [kind for kind in KINDS if kind is not LeaseLostError]  # who lost the lease has nothing to say


def raise_sites() -> Iterator[tuple[Path, ast.expr]]:
    for folder in ("render", "pipeline"):
        for path in sorted((ROOT / "ethereal" / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Raise) and node.exc is not None:
                    yield path, node.exc


def module_of(path: Path) -> ModuleType:
    return importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))


def raised_kind(path: Path, raised: ast.expr) -> type[BaseException] | None:
    """The class that is raised; for a function that makes the error, the class it says it returns."""
    called = raised.func if isinstance(raised, ast.Call) else raised
    name = ast.unparse(called).rpartition(".")[2]
    module = module_of(path)
    found = getattr(module, name, None) or getattr(builtins, name, None)
    if isinstance(found, type):
        return found
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef) and node.name == name and node.returns is not None:
            made = getattr(module, ast.unparse(node.returns), None)
            return made if isinstance(made, type) else None
    return None


def test_only_errors_of_ours_leave_the_render_core_and_the_pipeline() -> None:
    strangers = set()
    for path, raised in raise_sites():
        kind = raised_kind(path, raised)
        if kind is None or not issubclass(kind, EtherealError):
            strangers.add((path.stem, ast.unparse(raised.func if isinstance(raised, ast.Call) else raised)))

    assert strangers - INTERNAL - KEPT == set()
    assert (INTERNAL | KEPT) - strangers == set(), "listed, and raised no more"


def test_every_code_of_rendering_is_raised_somewhere_and_follows_its_rule() -> None:
    raised = {
        kind.code
        for path, raised in raise_sites()
        if (kind := raised_kind(path, raised)) and issubclass(kind, EtherealError)
    }

    assert set(RENDERING) - raised == set()
    assert {kind.code: kind.retry for kind in KINDS if kind.code in RENDERING} == RENDERING


def test_a_code_means_one_thing() -> None:
    codes = [kind.code for kind in KINDS]

    assert len(set(codes)) == len(codes)
    assert {kind.code for kind in all_errors() if kind.__module__.startswith(("ethereal", "web"))} <= set(
        codes
    )
    assert all(code == code.upper() for code in codes)


def test_every_error_says_what_it_means() -> None:
    assert [kind for kind in all_errors() if not kind.__doc__] == []


def test_the_docs_are_what_the_errors_say() -> None:
    assert (ROOT / "docs/errors.md").read_text() == error_table(), (
        "python -m web.error_table > docs/errors.md"
    )


def test_the_docs_name_every_code() -> None:
    lines = error_table().splitlines()

    assert [
        kind.code for kind in KINDS if not any(line.startswith(f"| `{kind.code}` |") for line in lines)
    ] == []


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.code)
def test_an_error_is_tried_as_often_as_its_rule_says(kind: type[EtherealError]) -> None:
    worth = [tries for tries in range(1, 6) if is_worth_another(kind("x"), tries=tries, most=4)]

    assert len(worth) + 1 == TRIES.get(kind.retry, 4)


@pytest.mark.parametrize("kind", TELLING, ids=lambda kind: kind.code)
def test_an_error_gets_through_a_job_and_its_json_unharmed(kind: type[EtherealError], tmp_path: Path) -> None:
    clock = HandClock()
    services: Services = make_services(tmp_path, clock=clock)
    job = add_job(services)
    tried: list[int] = []
    while not services.jobs.get(job.id).status.is_final:
        run_step(services, job.id, PREPARE, partial(fail, tried, kind("ÿ “so it is”")))
        clock.turn(timedelta(minutes=1))
        reap(services)

    ended = services.jobs.get(job.id)
    told = job_json(services, ended)["error"]
    assert ended.status is JobStatus.FAILED
    assert told == {"code": kind.code, "message": "ÿ “so it is”", "retryable": kind.retry is not Retry.NEVER}
    assert len(tried) == min(TRIES.get(kind.retry, 3), services.limits.max_attempts)


def fail(tried: list[int], error: EtherealError, attempt: Attempt) -> None:
    tried.append(attempt.lease.attempt)
    raise error


def test_an_error_gets_from_process_to_process_unharmed() -> None:
    sent = ChunkCorruptError("half of it", ["000000-000001"])

    got = pickle.loads(pickle.dumps(sent))

    assert (type(got), str(got), got.files) == (ChunkCorruptError, "half of it", ("000000-000001",))
