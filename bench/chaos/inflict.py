"""The faults themselves, done to a running farm."""

from __future__ import annotations

import contextlib
import heapq
import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import psutil
import redis

from bench.chaos.schedule import Fault
from tests.fault.farm import BROKER, Farm
from tests.fault.moments import ANYBODY, foretell


@dataclass
class Tormentor:
    """Inflicts a schedule on a farm, on a thread of its own. `done` says what was inflicted and when."""

    farm: Farm
    faults: Sequence[Fault]
    may_go_on: Callable[[int], bool] = lambda inflicted: True  #: asked before each
    done: list[tuple[float, Fault]] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)
    _later: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)

    def run(self) -> None:
        before = 0.0
        for fault in self.faults:
            self._rest(fault.at - before)
            before = fault.at
            self._wait(lambda: self.may_go_on(len(self.done)))
            if self.stop.is_set():
                break
            self.done.append((time.time(), fault))
            self._inflict(fault)
        self._wait(lambda: not self._later)

    def _rest(self, seconds: float) -> None:
        over = time.monotonic() + seconds
        self._wait(lambda: time.monotonic() >= over)

    def _wait(self, condition: Callable[[], bool]) -> None:
        """Until it holds, healing meanwhile what has lasted long enough."""
        while not condition() and (self._later or not self.stop.is_set()):
            self._heal()
            time.sleep(0.02)

    def _heal(self) -> None:
        while self._later and self._later[0][0] <= time.monotonic():
            heapq.heappop(self._later)[2]()

    def _after(self, seconds: float, heal: Callable[[], None]) -> None:
        heapq.heappush(self._later, (time.monotonic() + seconds, len(self.done), heal))

    def _inflict(self, fault: Fault) -> None:
        getattr(self, "_" + fault.kind.replace("-", "_"))(fault)

    def _kill_worker(self, fault: Fault) -> None:
        self.farm.kill(fault.whom)

    def _kill_child(self, fault: Fault) -> None:
        for child in self.farm.children(fault.whom)[:1]:
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()

    def _kill_beat(self, fault: Fault) -> None:
        self.farm.kill("beat" if fault.times % 2 else "beat2")

    def _kill_web(self, fault: Fault) -> None:
        for child in self.farm.children("web"):
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()
        if fault.times > 1:
            self.farm.kill("web")

    def _stop_worker(self, fault: Fault) -> None:
        self.farm.kill(fault.whom, signal.SIGTERM)

    def _freeze_worker(self, fault: Fault) -> None:
        frozen = self.farm.children(fault.whom)
        popen = self.farm.daemons[fault.whom].popen
        with contextlib.suppress(psutil.NoSuchProcess):
            frozen += [psutil.Process(popen.pid)] if popen else []
        _each(frozen, psutil.Process.suspend)
        self._after(fault.seconds, lambda: _each(frozen, psutil.Process.resume))

    def _restart_broker(self, fault: Fault) -> None:
        self.farm.hold_down(BROKER)
        self._after(fault.seconds, lambda: self.farm.start(BROKER))

    def _forget_broker(self, fault: Fault) -> None:
        self.farm.forget_broker()
        self._after(fault.seconds, lambda: self.farm.start(BROKER))

    def _reset_broker(self, fault: Fault) -> None:
        self.farm.broker_wire.reset()

    def _cut_pops(self, fault: Fault) -> None:
        self.farm.broker_wire.cut_pops(fault.times)

    def _silence_broker(self, fault: Fault) -> None:
        self.farm.broker_wire.silence()

    def _hang_broker(self, fault: Fault) -> None:
        self.farm.broker_wire.hang()
        self._after(fault.seconds, self.farm.broker_wire.heal)

    def _double_messages(self, fault: Fault) -> None:
        with contextlib.suppress(redis.RedisError):
            self.farm.double()

    def _reset_store(self, fault: Fault) -> None:
        self.farm.store_wire.reset()

    def _refuse_store(self, fault: Fault) -> None:
        self.farm.store_wire.refuse()
        self._after(fault.seconds, self.farm.store_wire.heal)

    def _hang_store(self, fault: Fault) -> None:
        self.farm.store_wire.hang()
        self._after(fault.seconds, self.farm.store_wire.heal)

    def _kill_moment(self, fault: Fault) -> None:
        act = "kill-main" if fault.times == 3 else "kill"
        foretell(self.farm.folder, ANYBODY, fault.move, when=fault.when, act=act)


def _each(processes: Sequence[psutil.Process], act: Callable[[psutil.Process], None]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            act(process)
