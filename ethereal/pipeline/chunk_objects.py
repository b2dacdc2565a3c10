"""Chunks as objects: kept under their plan, looked for before drawing, checked before joining."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

from ethereal.errors import ChunkCorruptError, NotFoundError
from ethereal.jobs.model import Step, StepKey, StepName
from ethereal.pipeline.attempt import Attempt
from ethereal.pipeline.progress import DRAWING_FROM, DRAWING_TO
from ethereal.render.chunks import Chunk
from ethereal.render.plan import Plan
from ethereal.storage import keys
from ethereal.storage.store import ObjectStore
from ethereal.whole import sha256_of

logger = logging.getLogger(__name__)

FETCHED_AT_ONCE = 8  # a thousand chunks one after another wait longer for the store than for their bytes
_BEAT_SECONDS = 0.2


def find_chunk(attempt: Attempt, plan_hash: str, name: str) -> dict[str, object] | None:
    """The record of a chunk that was drawn before; it is written last, so the chunk is whole."""
    try:
        return {**read_record(attempt.services.objects, plan_hash, name), "reused": True}
    except NotFoundError:
        return None


def read_record(objects: ObjectStore, plan_hash: str, name: str) -> Mapping[str, object]:
    """The record of a chunk. Raise NotFoundError when the chunk is not there whole."""
    with objects.open(keys.plan_chunk(plan_hash, f"{name}.json")) as stream:
        record: Mapping[str, object] = json.load(stream)
        return record


def keep_chunk(attempt: Attempt, plan_hash: str, chunk: Path, record: Mapping[str, object]) -> None:
    """Put the chunk, then its record."""
    objects, beat = attempt.services.objects, attempt.beat("rendering", DRAWING_FROM, DRAWING_FROM)
    objects.put(keys.plan_chunk(plan_hash, chunk.name), chunk, beat=beat)
    sidecar = chunk.with_name(f"{chunk.name}.json")
    sidecar.write_text(json.dumps(record))
    objects.put(keys.plan_chunk(plan_hash, sidecar.name), sidecar)


def fetch_chunks(attempt: Attempt, made: Plan) -> list[Path]:
    """Fetch all chunks of the plan; raise ChunkCorruptError, naming all that are not what was drawn."""
    beat = attempt.beat("assembling", DRAWING_TO, DRAWING_TO)
    wrong: dict[str, str] = {}
    threads = ThreadPoolExecutor(FETCHED_AT_ONCE, "fetch-chunk")
    try:
        fetching = [(chunk.name, threads.submit(_fetch, attempt, made, chunk)) for chunk in made.chunks]
        for name, future in fetching:
            beat(0.0)
            while not wait([future], _BEAT_SECONDS).done:
                beat(0.0)
            if how := future.result():
                wrong[name] = how
    finally:
        threads.shutdown(cancel_futures=True)
    if wrong:
        raise ChunkCorruptError("; ".join(f"{name} {how}" for name, how in wrong.items()), list(wrong))
    return [attempt.folder / chunk.name for chunk in made.chunks]


def _fetch(attempt: Attempt, made: Plan, chunk: Chunk) -> str:
    """Fetch a chunk; return what is wrong with it."""
    file = attempt.folder / chunk.name
    try:
        attempt.services.objects.fetch(keys.plan_chunk(made.plan_hash, chunk.name), file)
    except NotFoundError:
        return "is gone"
    told = _told(attempt.steps[StepKey(StepName.RENDER_CHUNK, chunk.index)], "sha256")
    return "" if sha256_of(file) == told else "is not what was drawn"


def redo_chunks(attempt: Attempt, made: Plan, error: ChunkCorruptError) -> None:
    """Throw the chunks that `error` names away and have each drawn again, once: else raise it."""
    named = [chunk for chunk in made.chunks if chunk.name in error.files]
    steps = [attempt.steps[StepKey(StepName.RENDER_CHUNK, chunk.index)] for chunk in named]
    if not steps or any(_told(step, "redone") for step in steps):
        raise error
    logger.warning("drawn again for %s: %s", attempt.lease, error)
    for chunk in named:
        for name in (f"{chunk.name}.json", chunk.name):  # a record vouches for its chunk: it goes first
            attempt.services.objects.delete(keys.plan_chunk(made.plan_hash, name))
        attempt.services.live.put(attempt.job.id, chunk.index, 0)
    attempt.redo(steps)


def was_redone(attempt: Attempt) -> bool:
    """Whether the chunk of this attempt is drawn again because the first one was damaged."""
    return bool(_told(attempt.steps[attempt.lease.step.first], "redone"))


def _told(step: Step, name: str) -> object:
    return (step.result or {}).get(name)
