"""What a chaos run came to, read from the database's own record and from the disk."""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from itertools import pairwise
from statistics import quantiles

from bench.chaos.schedule import Fault
from bench.chaos.work import Accepted
from tests.fault.audit import Event, doubled, read_events, run_again, statuses
from tests.fault.farm import Farm
from tests.fault.moments import JOURNAL

#: A step that waits longer than this before its first claim was not heard of: its message was lost.
UNHEARD_SECONDS = 4.5


def judge(
    farm: Farm, accepted: Sequence[Accepted], faults: Sequence[tuple[float, Fault]]
) -> dict[str, object]:
    events, ends = read_events(farm.database), statuses(farm.database)
    journal = Counter(line.split()[1] for line in _journal(farm))
    waits = recoveries(events, faults)
    lost = {job.job_id: ends.get(job.job_id, "unknown") for job in accepted}
    return {
        "jobs": len(accepted),
        "jobsByKind": dict(Counter(job.kind for job in accepted)),
        "faults": len(faults),
        "faultsByKind": dict(sorted(Counter(fault.kind for _, fault in faults).items())),
        "steps": len({(event.job, event.step) for event in events if event.kind == "stored"}),
        "lost": {job: status for job, status in lost.items() if status != "complete"},
        "doubled": [[job, *step] for job, step in doubled(events)] + _twins(farm, accepted),
        "reExecuted": run_again(events),
        "fenced": journal["fenced"],
        "refused": journal["refused"],
        "killedAtAMove": journal["kill"] + journal["kill-main"],
        "submitRetries": sum(job.tries - 1 for job in accepted),
        "recoverySeconds": spread([wait.seconds for wait in waits]),
        "slowest": [asdict(wait) for wait in waits[:5]],
        "latencySeconds": spread(_latencies(accepted, events)),
    }


@dataclass(frozen=True)
class Wait:
    """How long a step waited for a claim, from the first fault that struck meanwhile."""

    seconds: float
    step: tuple[str, int]
    attempt: int
    struck: Sequence[str]


def recoveries(events: Sequence[Event], faults: Sequence[tuple[float, Fault]]) -> list[Wait]:
    """The waits of all steps that a fault struck between two claims, or before the first, for long."""
    waits, history = list[Wait](), defaultdict(list)
    for event in events:
        if event.kind in ("claim", "stored"):
            history[event.job, event.step].append(event)
    for told in history.values():
        for before, claim in pairwise(told):
            struck = [(at, fault.kind) for at, fault in faults if before.at - 0.1 <= at <= claim.at]
            seconds = claim.at - max(struck[0][0], before.at) if struck else 0.0
            if before.kind == "claim" or seconds > UNHEARD_SECONDS:
                kinds = [kind for _, kind in struck]
                waits.append(Wait(round(seconds, 2), claim.step, claim.attempt, kinds))
    return sorted(waits, key=lambda wait: -wait.seconds)


def spread(seconds: Sequence[float]) -> dict[str, float | int]:
    if not seconds:
        return {"count": 0}
    cuts = quantiles(seconds, n=100, method="inclusive") if len(seconds) > 1 else [seconds[0]] * 99
    values = {"p50": cuts[49], "p95": cuts[94], "max": max(seconds)}
    return {"count": len(seconds)} | {name: round(value, 3) for name, value in values.items()}


def _latencies(accepted: Sequence[Accepted], events: Sequence[Event]) -> list[float]:
    ended = {event.job: event.at for event in events if event.kind == "complete"}
    return [ended[job.job_id] - job.at for job in accepted if job.job_id in ended]


def _twins(farm: Farm, accepted: Sequence[Accepted]) -> list[list[object]]:
    """Jobs that one request made twice, and sounds that are there twice."""
    with closing(sqlite3.connect(farm.database)) as opened:
        keys = opened.execute("SELECT COUNT(*), COUNT(DISTINCT idempotency_key) FROM jobs").fetchone()
        sounds = opened.execute("SELECT COUNT(*), COUNT(DISTINCT sha256) FROM assets").fetchone()
    ids = Counter(job.job_id for job in accepted)
    found: list[list[object]] = [[job, "accepted twice", count] for job, count in ids.items() if count > 1]
    found += [["jobs", "for one key", keys[0] - keys[1]]] if keys[0] != keys[1] else []
    return found + ([["assets", "of one sound", sounds[0] - sounds[1]]] if sounds[0] != sounds[1] else [])


def _journal(farm: Farm) -> list[str]:
    path = farm.folder / JOURNAL
    return path.read_text().splitlines() if path.exists() else []
