"""`make chaos`: jobs under random faults, none of which may lose or double one; beside them plain Celery.

    python -m bench.chaos [--jobs 2000] [--faults 300] [--seed N] [--seconds N] [--no-control] [--no-probes]

Writes bench/results/chaos.json and ends with 1 where a bar is missed. The seed draws every fault and every
job: the same seed has the same schedule.
"""

from __future__ import annotations

import argparse
import json
import secrets
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.chaos.bars import missed_bars
from bench.chaos.control import control
from bench.chaos.inflict import Tormentor
from bench.chaos.probes import probe_all
from bench.chaos.schedule import Fault, draw_faults
from bench.chaos.verdict import judge
from bench.chaos.work import Submitter
from ethereal.bench.machine import describe_machine
from ethereal.bootstrap import cores
from tests.fault.farm import QUICK, Farm, open_farm
from tests.fault.orphans import files_of_nobody, processes_of_nobody

RESULTS = Path(__file__).parents[1] / "results" / "chaos.json"
LEASE = 6
_SETTINGS = QUICK | {"ETHEREAL_LEASE_SECONDS": str(LEASE), "ETHEREAL_MAX_ATTEMPTS": "12"}
_DRAIN_SECONDS = 180.0


def main() -> int:
    given = _options()
    say(f"seed {given.seed}: {given.jobs} jobs, {given.faults} faults")
    told: dict[str, Any] = {"seed": given.seed, "asked": [given.jobs, given.faults], "leaseSeconds": LEASE}
    parts: list[tuple[str, Callable[[Path], dict[str, Any]]]] = [("", lambda folder: chaos(folder, given))]
    if not given.no_control:
        parts.append(("control", lambda folder: control(folder, _shared(given), given.control_faults * 7)))
    if not given.no_probes:
        parts.append(("probes", lambda folder: probes(folder, given)))
    for name, part in parts:
        with TemporaryDirectory(prefix="chaos-", dir=given.folder) as folder:
            found = part(Path(folder) / "farm")
        told |= {name: found} if name else found
        say(json.dumps(found, indent=2))
        missed = missed_bars(told, LEASE)
        told |= {"missedBars": missed, "machine": asdict(describe_machine(cores()))}
        given.output.write_text(json.dumps(told, indent=2) + "\n")
    say(f"missed: {missed or 'nothing'}")
    return 1 if missed else 0


def _shared(given: argparse.Namespace) -> Sequence[Fault]:
    """The faults that also strike plain Celery: the first of the schedule."""
    return draw_faults(given.seed, given.faults, gap=given.gap)[: given.control_faults]


def probes(folder: Path, given: argparse.Namespace) -> dict[str, Any]:
    with open_farm(folder, settings=_SETTINGS) as farm:
        return probe_all(farm, given.rounds)


def chaos(folder: Path, given: argparse.Namespace) -> dict[str, Any]:
    with open_farm(folder, copies=2, settings=_SETTINGS) as farm:
        work = Submitter(farm, given.jobs, given.seed)
        work.prepare()
        pace = given.jobs / max(given.faults, 1)
        torment = Tormentor(
            farm,
            draw_faults(given.seed, given.faults, gap=given.gap),
            may_go_on=lambda done: len(work.accepted) >= min(given.jobs, pace * done - work.most),
        )
        begun = time.monotonic()
        _together(farm, work, torment, given.seconds)
        drained = _drain(farm, work)
        told = judge(farm, work.accepted, torment.done)
        strays = processes_of_nobody(farm)
    files = files_of_nobody(farm)
    left = {"processes": strays + [str(process.pid) for process in farm.processes()], "files": files}
    return told | {
        "orphans": {name: len(found) for name, found in left.items()},
        "left": {name: found[:20] for name, found in left.items()},
        "drained": drained,
        "seconds": round(time.monotonic() - begun, 1),
    }


def _together(farm: Farm, work: Submitter, torment: Tormentor, seconds: float) -> None:
    threads = [threading.Thread(target=work.run), threading.Thread(target=torment.run)]
    deadline = time.monotonic() + seconds
    for thread in threads:
        thread.start()
    told = 0.0
    while any(thread.is_alive() for thread in threads):
        if time.monotonic() > deadline:
            work.stop.set()
            torment.stop.set()
        if time.monotonic() - told > 10:
            told = time.monotonic()
            say(f"{len(work.accepted)} jobs, {work.live()} of them live, {len(torment.done)} faults")
        time.sleep(0.2)
    for thread in threads:
        thread.join()


def _drain(farm: Farm, work: Submitter) -> bool:
    """Wait for the last jobs, with no more faults but those to come true; say whether all ended."""
    farm.broker_wire.heal()
    farm.store_wire.heal()
    deadline = time.monotonic() + _DRAIN_SECONDS
    while (live := work.live()) and time.monotonic() < deadline:
        say(f"{live} jobs are live")
        time.sleep(2)
    return work.live() == 0


def say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.chaos", description=__doc__)
    parser.add_argument("--jobs", type=int, default=2000)
    parser.add_argument("--faults", type=int, default=300)
    parser.add_argument("--gap", type=float, default=2.0, help="seconds between faults, on average")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000))
    parser.add_argument("--seconds", type=float, default=3600.0, help="when to stop asking for jobs")
    parser.add_argument("--folder", type=Path, default=None, help="where to work; default: the system's")
    parser.add_argument("--control-faults", type=int, default=60, help="how many also strike plain Celery")
    parser.add_argument("--rounds", type=int, default=3, help="of each probe")
    parser.add_argument("--output", type=Path, default=RESULTS)
    parser.add_argument("--no-control", action="store_true")
    parser.add_argument("--no-probes", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
