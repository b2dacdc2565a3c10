"""Plain Celery under the same faults. It must lose or double something: else the faults prove nothing."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from bench.chaos.inflict import Tormentor
from bench.chaos.plain import STEPS, VISIBILITY_SECONDS, app, ask
from bench.chaos.schedule import WORKERS, Fault
from tests.fault.farm import Farm, open_farm

#: What strikes only what the control group does not have, or would double its work by itself.
_NOT_OURS = ("kill-beat", "kill-web", "double-messages", "kill-moment", "-store")
_SETTLE_SECONDS = VISIBILITY_SECONDS * 3 + 20.0
_LIVE_MOST = 16


def control(folder: Path, faults: Sequence[Fault], jobs: int) -> dict[str, object]:
    """Run so many chains under those of the faults that strike brokers and workers."""
    command = "celery -A bench.chaos.plain worker -c 2 --without-gossip --without-mingle -n"
    effects = folder.with_suffix(".effects")
    with closing(sqlite3.connect(effects)) as database:
        database.execute("CREATE TABLE effects (job TEXT, step INTEGER, at REAL)")
        database.execute("PRAGMA journal_mode=WAL")
    commands = {name: f"{command} {name}@%h" for name in WORKERS}
    struck = _of_ours(faults)
    with open_farm(folder, commands=commands, settings={"PLAIN_EFFECTS": str(effects)}) as farm:
        asked = list[str]()
        torment = Tormentor(
            farm, struck, may_go_on=lambda done: len(asked) >= done * jobs // len(struck) - 30
        )
        threads = [
            threading.Thread(target=_submit, args=(farm, effects, jobs, asked)),
            threading.Thread(target=torment.run),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        _settle(effects, asked)
    return {"jobs": len(asked), "faults": len(torment.done), **_told(effects, asked)}


def _of_ours(faults: Sequence[Fault]) -> list[Fault]:
    kept = [fault for fault in faults if not any(word in fault.kind for word in _NOT_OURS)]
    gap = faults[-1].at / len(faults)
    return [replace(fault, at=gap * number) for number, fault in enumerate(kept, start=1)]


def _submit(farm: Farm, effects: Path, jobs: int, asked: list[str]) -> None:
    """Hand in chains; one is asked for once the broker has taken it."""
    app.conf.broker_url = farm.environment["ETHEREAL_BROKER_URL"]
    for number in range(jobs):
        _until_few_live(effects, asked)
        while not _sent(f"j{number}"):
            time.sleep(0.1)
        asked.append(f"j{number}")
    app.close()


def _sent(job: str) -> bool:
    try:
        ask(job).apply_async(retry=False)
    except (OperationalError, RedisError, OSError):
        return False
    return True


def _until_few_live(effects: Path, asked: Sequence[str]) -> None:
    """At most so many at once, but no wait for what is lost."""
    give_up = time.monotonic() + 0.5
    while len(asked) - len(_done(effects)) > _LIVE_MOST and time.monotonic() < give_up:
        time.sleep(0.05)


def _settle(effects: Path, asked: Sequence[str]) -> None:
    deadline = time.monotonic() + _SETTLE_SECONDS
    while len(_done(effects)) < len(asked) and time.monotonic() < deadline:
        time.sleep(0.5)


def _done(effects: Path) -> set[str]:
    return {job for (job, step) in _count(effects) if step == STEPS - 1}


def _count(effects: Path) -> Counter[tuple[str, int]]:
    with closing(sqlite3.connect(effects, timeout=20)) as database:
        return Counter(database.execute("SELECT job, step FROM effects").fetchall())


def _told(effects: Path, asked: Sequence[str]) -> dict[str, object]:
    counted = _count(effects)
    done = {job for (job, step) in counted if step == STEPS - 1}
    return {"lost": len(set(asked) - done), "doubled": sum(count > 1 for count in counted.values())}
