"""GOPs that were drawn for another plan: each plan tells its own, and takes those that have the same keys.

A plan leaves its keys beside it, and its hash under the keys of a few of its GOPs: one listing finds the
plans that share such a GOP. Whatever is gone by the time a chunk is drawn, or damaged, is drawn.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import groupby, islice
from pathlib import Path
from typing import Any, TypeAlias

from ethereal.errors import ChunkCorruptError, NotFoundError
from ethereal.jobs.model import StepKey, StepName
from ethereal.pipeline.attempt import Attempt
from ethereal.pipeline.chunk_objects import read_record, was_redone
from ethereal.pipeline.progress import DRAWING_FROM
from ethereal.render.chunk import NONE_DRAWN, ChunkResult
from ethereal.render.chunks import Chunk, read_chunk_name
from ethereal.render.drawn_gops import DrawnGop, DrawnGops, find_gops
from ethereal.render.gop_key import GopKeys, make_gop_keys
from ethereal.render.plan import Plan
from ethereal.storage import keys
from ethereal.storage.store import ObjectStore
from ethereal.whole import sha256_of

logger = logging.getLogger(__name__)

#: By which GOPs plans are found: few, since each costs requests; late ones first, as many sounds begin alike.
_FOUND_BY = (*(2 * 4**power for power in reversed(range(8))), 0)
_MOST_PLANS = 4  # to look into, the newest first
_MOST_LISTED = 1000

#: GOPs in a row in one chunk of a plan, as the plan step keeps them: planHash, chunk, firstGop, gopCount.
Run: TypeAlias = Mapping[str, Any]


def reuse_gops(attempt: Attempt, made: Plan, plan_dir: Path) -> Sequence[Run]:
    """Tell others which GOPs this plan has, and return where some of them lie already."""
    fingerprint = attempt.services.fingerprint
    wanted = make_gop_keys(made, plan_dir, fingerprint) if fingerprint else None
    if wanted is None:
        return ()
    found = _find(attempt.services.objects, wanted)
    _tell(attempt, made.plan_hash, wanted)
    return found


def draw_missing(
    attempt: Attempt, made: Plan, chunk: Chunk, draw: Callable[[DrawnGops], ChunkResult]
) -> ChunkResult:
    """Draw `chunk`, less the GOPs that the plan step found elsewhere and that are still there, and whole."""
    drawn = NONE_DRAWN if was_redone(attempt) else _fetch(attempt, made, chunk)
    try:
        return draw(drawn)
    except ChunkCorruptError as error:
        if not drawn:
            raise
        logger.warning("%s draws all of its chunk: %s", attempt.lease, error)
        return draw(NONE_DRAWN)


def _find(objects: ObjectStore, wanted: GopKeys) -> Sequence[Run]:
    """Look for GOPs with these keys in the chunks of the newest plans that share one of them."""
    found: dict[int, tuple[str, str]] = {}
    for plan_hash in _plans_alike(objects, wanted):
        told = _read_told(objects, plan_hash)
        if told is None or not told.agree(wanted):
            logger.warning("plan %s is no source of GOPs: its pictures are not what its keys say", plan_hash)
            continue
        pairs = enumerate(zip(wanted.gops, told.gops, strict=False))
        equal = {number for number, (ours, theirs) in pairs if ours == theirs}
        for name, gops in _chunks_of(objects, plan_hash):
            found |= {gop: (plan_hash, name) for gop in gops if gop in equal and gop not in found}
        if len(found) == len(wanted.gops):
            break
    return _runs(found)


def _plans_alike(objects: ObjectStore, wanted: GopKeys) -> Sequence[str]:
    alike: dict[str, None] = {}
    for gop in _FOUND_BY:
        if gop < len(wanted.gops) and len(alike) < _MOST_PLANS:
            listed = islice(objects.list(keys.gop_plans(wanted.gops[gop])), _MOST_LISTED)
            newest = sorted(listed, key=lambda facts: facts.modified_at, reverse=True)
            alike |= dict.fromkeys(keys.last_part(facts.key) for facts in newest[:_MOST_PLANS])
    return list(alike)[:_MOST_PLANS]


def _read_told(objects: ObjectStore, plan_hash: str) -> GopKeys | None:
    try:
        with objects.open(keys.plan_gops(plan_hash)) as stream:
            said = json.load(stream)
        return GopKeys(tuple(said["gops"]), dict(said["canary"]))
    except (NotFoundError, ValueError, KeyError, TypeError):
        return None


def _chunks_of(objects: ObjectStore, plan_hash: str) -> Iterator[tuple[str, range]]:
    """The chunks that lie there whole: their records are written last."""
    for facts in objects.list(keys.plan_chunks(plan_hash)):
        name, _, extension = keys.last_part(facts.key).partition(".")
        if extension == "json":
            yield name, read_chunk_name(name)


def _runs(found: Mapping[int, tuple[str, str]]) -> Sequence[Run]:
    runs = []
    numbered = enumerate(sorted(found))
    for (_, plan_hash, chunk), grouped in groupby(
        numbered, lambda pair: (pair[1] - pair[0], *found[pair[1]])
    ):
        gops = [gop for _, gop in grouped]
        runs.append({"planHash": plan_hash, "chunk": chunk, "firstGop": gops[0], "gopCount": len(gops)})
    return runs


def _tell(attempt: Attempt, plan_hash: str, told: GopKeys) -> None:
    """Put the keys, then the plan's hash where plans that share a GOP look for it."""
    objects, file = attempt.services.objects, attempt.folder / "gops.json"
    file.write_text(json.dumps(asdict(told)))
    objects.put(keys.plan_gops(plan_hash), file)
    name = attempt.folder / "found-by"
    name.touch()
    for gop in _FOUND_BY:
        if gop < len(told.gops):
            objects.put(keys.gop_plan(told.gops[gop], plan_hash), name)


def _fetch(attempt: Attempt, made: Plan, chunk: Chunk) -> DrawnGops:
    planned: Mapping[str, Any] = attempt.steps[StepKey(StepName.PLAN_RENDER)].result or {}
    drawn: dict[int, DrawnGop] = {}
    for run in planned.get("drawn", ()):
        wanted = range(run["firstGop"], run["firstGop"] + run["gopCount"])
        numbers = [number for number, _ in chunk.numbered if number in wanted]
        if numbers:
            there = _fetch_chunk(attempt, run, made.gop_frames)
            drawn |= {number: there[number] for number in numbers if number in there}
    return drawn


def _fetch_chunk(attempt: Attempt, run: Run, gop_frames: int) -> DrawnGops:
    plan_hash, name = run["planHash"], run["chunk"]
    path = attempt.folder / "drawn" / plan_hash / name
    beat = attempt.beat("rendering", DRAWING_FROM, DRAWING_FROM)
    try:
        attempt.services.objects.fetch(keys.plan_chunk(plan_hash, name), path, beat=beat)
        _check(path, read_record(attempt.services.objects, plan_hash, name))
        return find_gops(path, plan_hash, gop_frames)
    except (NotFoundError, ChunkCorruptError) as error:
        logger.warning("%s draws what it cannot copy: %s", attempt.lease, error)
        return NONE_DRAWN


def _check(path: Path, record: Mapping[str, object]) -> None:
    if sha256_of(path) != record["sha256"]:
        raise ChunkCorruptError(f"{path.name} is not what was drawn", [path.name])
