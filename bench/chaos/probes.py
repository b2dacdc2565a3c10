"""How soon a farm is itself again after one fault: the broker away, back, or half-open."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from celery import Celery
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from bench.chaos.work import Submitter
from tasks.queues import queue_named
from tests.fault.audit import statuses
from tests.fault.farm import BROKER, Farm
from tests.fault.moments import JOURNAL
from tests.waiting import until

_QUEUES = {"prepare_audio": "cpu", "plan_render": "render"}
_LIMIT_SECONDS = 90.0
_SETTLE_SECONDS = 600.0  # what waits here is no figure
_DOWN_SECONDS = (0.5, 3.0, 20.0)


class Probe:
    """Sends steps of jobs that nobody has, straight to the broker, and hears who takes them."""

    def __init__(self, farm: Farm) -> None:
        self._farm, self._number = farm, 0
        self._app = Celery(broker=f"redis://127.0.0.1:{farm.broker_wire.target}/0", set_as_current=False)

    def until_taken(self) -> float:
        """Seconds until a worker of each kind has taken a step that was sent after now."""
        begun, first = time.monotonic(), self._number
        missing = set(_QUEUES)
        while missing:
            self._send(missing)
            time.sleep(0.1)
            missing -= self._taken(first)
            if time.monotonic() - begun > _LIMIT_SECONDS:
                raise TimeoutError(f"nobody takes {missing}")
        return time.monotonic() - begun

    def close(self) -> None:
        self._app.close()

    def _send(self, steps: set[str]) -> None:
        for step in steps:
            self._number += 1
            queue = queue_named(_QUEUES[step])
            try:
                self._app.send_task(step, args=(f"probe-{self._number}",), queue=queue, retry=False)
            except (OperationalError, RedisError, OSError):
                continue

    def _taken(self, first: int) -> set[str]:
        taken = set()
        for line in (self._farm.folder / JOURNAL).read_text().splitlines():
            words = line.split()
            if words[1] == "asked" and words[3].startswith("probe-"):
                taken |= {words[2]} if int(words[3].removeprefix("probe-")) > first else set()
        return taken


def probe_all(farm: Farm, rounds: int) -> dict[str, object]:
    """Every probe so many times; seconds of each."""
    work, probe = Submitter(farm, 10**6, seed=0), Probe(farm)
    work.prepare()
    probe.until_taken()
    restarts = {
        f"down{down:g}s{'Busy' if busy else 'Idle'}": [
            _restarted(farm, work, probe, down, busy) for _ in range(rounds)
        ]
        for down in _DOWN_SECONDS
        for busy in (False, True)
    }
    half_open = [_after(farm, work, probe, farm.broker_wire.silence) for _ in range(rounds)]
    reset = [_after(farm, work, probe, farm.broker_wire.reset) for _ in range(rounds)]
    submits = {"brokerDown": _submits(farm, work, down=True), "brokerHangs": _submits(farm, work, down=False)}
    until(lambda: work.live() == 0, _SETTLE_SECONDS)
    ends = statuses(farm.database)
    kept = all(ends.get(job.job_id) == "complete" for job in work.accepted)
    probe.close()
    return {
        "takesAgainAfterRestartSeconds": restarts,
        "takesAgainAfterHalfOpenSeconds": half_open,
        "takesAgainAfterResetSeconds": reset,
        "submitSeconds": submits,
        "submittedAreKept": kept,
    }


def _busy(work: Submitter) -> None:
    """Renders of two seconds and edits enough that every worker is in the middle of something."""
    for number in (1, 17, 33):
        work.ask_one("render", number + 16 * len(work.accepted))
    for _ in range(3):
        work.ask_one("preview", len(work.accepted) + 1)
    time.sleep(0.3)


def _restarted(farm: Farm, work: Submitter, probe: Probe, down: float, busy: bool) -> float:
    if busy:
        _busy(work)
    farm.hold_down(BROKER)
    time.sleep(down)
    farm.start(BROKER)
    until(lambda: _answers(farm))
    took = probe.until_taken()
    until(lambda: work.live() == 0, _SETTLE_SECONDS)
    return round(took, 2)


def _after(farm: Farm, work: Submitter, probe: Probe, fault: Callable[[], None]) -> float:
    _busy(work)
    fault()
    took = probe.until_taken()
    until(lambda: work.live() == 0, _SETTLE_SECONDS)
    return round(took, 2)


def _answers(farm: Farm) -> bool:
    with farm.broker() as broker:
        try:
            return bool(broker.ping())
        except RedisError:
            return False


def _submits(farm: Farm, work: Submitter, *, down: bool) -> Sequence[float]:
    """How long submits take while the broker is away, or takes connections and says nothing."""
    if down:
        farm.hold_down(BROKER)
    else:
        farm.broker_wire.hang()
    took = [round(work.ask_one("preview", len(work.accepted) + 1).seconds, 3) for _ in range(8)]
    if down:
        farm.start(BROKER)
    farm.broker_wire.heal()
    return took
