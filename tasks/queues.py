"""The queues: `cpu` for short work, `control`: the reaper, `render`: plans, `render.<kind>`: chunks."""

from __future__ import annotations

from kombu.entity import Exchange, Queue

from ethereal.jobs.turns import LEVELS

#: Each queue is a list for each of them, and the lists of the first are emptied before those of the next.
PRIORITIES = range(max(LEVELS.values()) + 1)

EXCHANGE = Exchange("ethereal", type="direct")
#: The queue of the plans, which every worker that draws listens to.
PLANS = "render"
_RENDER = "render."


def queue_named(name: str) -> Queue:
    """A queue with a routing key of its own: Celery would give all of them the default queue's."""
    return Queue(name, EXCHANGE, routing_key=name)


def queue_of(route: str) -> Queue:
    """The queue of the renderers of one kind; who sends to it need not listen to it."""
    return queue_named(_RENDER + route)


def routes_among(names: set[str]) -> frozenset[str]:
    """The kinds of renderers behind queue names."""
    return frozenset(name.removeprefix(_RENDER) for name in names if name.startswith(_RENDER))
