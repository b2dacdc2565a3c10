"""Which faults come when: drawn from a seed alone, so that any run can be had again."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

#: Faults by how often they are drawn.
KINDS = {
    "kill-worker": 16,  #: kill -9 of a worker's main process
    "kill-child": 16,  #: kill -9 of a pool process
    "kill-beat": 4,
    "kill-web": 5,
    "stop-worker": 6,  #: SIGTERM: an orderly end
    "freeze-worker": 6,  #: SIGSTOP of a worker and its pool for longer than its leases, then SIGCONT
    "restart-broker": 6,  #: kill -9, back with what it had written down
    "forget-broker": 5,  #: kill -9, back with nothing
    "reset-broker": 10,  #: every connection reset
    "cut-pops": 10,  #: reset at the next replies that carry a message
    "silence-broker": 3,  #: every connection half-open
    "hang-broker": 2,  #: the same, and new ones are not answered
    "double-messages": 8,  #: every waiting message twice
    "reset-store": 8,  #: every connection to the database reset
    "refuse-store": 4,  #: the database away
    "hang-store": 2,  #: the database taking connections and saying nothing
    "kill-moment": 14,  #: kill -9 at a chosen move of a step
}
WORKERS = ("worker", "worker2", "render", "render2", "control")
MOVES = ("add", "claim", "put", "commit", "finish", "report", "asset-add", "asset-note")
#: How long a fault lasts that has a length, in seconds.
_LENGTHS = {
    "restart-broker": (0.2, 3.0),
    "forget-broker": (0.2, 3.0),
    "hang-broker": (1.0, 5.0),
    "refuse-store": (0.5, 6.0),
    "hang-store": (0.5, 6.0),
    "freeze-worker": (5.0, 9.0),
}


@dataclass(frozen=True)
class Fault:
    """`at` seconds after the start, for so many `seconds` where it has a length."""

    at: float
    kind: str
    whom: str = ""
    seconds: float = 0.0
    times: int = 1
    move: str = ""
    when: str = ""


def draw_faults(seed: int, count: int, *, gap: float) -> Sequence[Fault]:
    """Draw so many faults, on average `gap` seconds apart."""
    dice, at, drawn = random.Random(seed), 1.0, list[Fault]()
    for kind in dice.choices(list(KINDS), list(KINDS.values()), k=count):
        at += dice.uniform(0.4, 1.6) * gap
        drawn.append(
            Fault(
                round(at, 3),
                kind,
                dice.choice(WORKERS),
                round(dice.uniform(*_LENGTHS.get(kind, (0.0, 0.0))), 3),
                dice.randint(1, 3),
                dice.choice(MOVES),
                dice.choice(("before", "after")),
            )
        )
    return drawn
