"""What became of every step, written down by the database itself: no fault of a process can falsify it."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

_NOW = "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"
_STEP = "NEW.job_id, NEW.name, NEW.idx, NEW.attempt"
_TRIGGERS = f"""
CREATE TABLE IF NOT EXISTS audit (at INTEGER, kind TEXT, job TEXT, name TEXT, idx INTEGER, attempt INTEGER);
CREATE TRIGGER audit_new AFTER INSERT ON steps
  BEGIN INSERT INTO audit VALUES ({_NOW}, 'stored', {_STEP}); END;
CREATE TRIGGER audit_claim AFTER UPDATE OF status ON steps WHEN NEW.status = 'running'
  BEGIN INSERT INTO audit VALUES ({_NOW}, 'claim', {_STEP}); END;
CREATE TRIGGER audit_done AFTER UPDATE OF status ON steps WHEN NEW.status = 'done' AND OLD.status <> 'done'
  BEGIN INSERT INTO audit VALUES ({_NOW}, 'done', {_STEP}); END;
CREATE TRIGGER audit_again AFTER UPDATE OF status ON steps
  WHEN NEW.status = 'waiting' AND OLD.status = 'running'
  BEGIN INSERT INTO audit VALUES ({_NOW}, 'again', {_STEP}); END;
CREATE TRIGGER audit_ended AFTER UPDATE OF status ON jobs
  WHEN NEW.status IN ('complete', 'failed', 'cancelled')
  BEGIN INSERT INTO audit VALUES ({_NOW}, NEW.status, NEW.id, '', 0, NEW.attempt); END;
"""


def audit(database: Path) -> None:
    """Let the database write down every claim and every end, in the transaction that makes it."""
    with closing(sqlite3.connect(database)) as opened:
        opened.executescript(_TRIGGERS)


@dataclass(frozen=True)
class Event:
    """Something that happened to a step, or to a job where `step` is empty. `at` in seconds."""

    at: float
    kind: str
    job: str
    step: tuple[str, int]
    attempt: int


def read_events(database: Path) -> list[Event]:
    with closing(sqlite3.connect(database)) as opened:
        rows = opened.execute("SELECT * FROM audit ORDER BY rowid").fetchall()
    return [
        Event(at / 1000, kind, job, (name, index), attempt) for at, kind, job, name, index, attempt in rows
    ]


def statuses(database: Path) -> dict[str, str]:
    with closing(sqlite3.connect(database)) as opened:
        return dict(opened.execute("SELECT id, status FROM jobs").fetchall())


def doubled(events: Sequence[Event]) -> list[tuple[str, tuple[str, int]]]:
    """Steps that were ended well more than once, and jobs that ended more than once."""
    ends = Counter(
        (event.job, event.step)
        for event in events
        if event.kind in ("done", "complete", "failed", "cancelled")
    )
    return [what for what, count in ends.items() if count > 1]


def run_again(events: Sequence[Event]) -> int:
    """How many claims were not the first of their step."""
    claims = Counter((event.job, event.step) for event in events if event.kind == "claim")
    return sum(count - 1 for count in claims.values())
