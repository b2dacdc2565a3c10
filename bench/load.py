"""What a stack bears: `make load`, or `python bench/load.py --url http://HOST` for one that runs already.

A thousand jobs at once, then clients that poll, follow and submit for minutes. A job is the cheapest there
is: a tenth of a second of sound is cut out and encoded (a preview), each time another one. What is followed
are renders that nobody draws for now; this program tells their progress in a renderer's place.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from load_target import Target, finished, nobody_draws, progress_told, target_of

from ethereal.bench.chain import chain_overhead
from ethereal.bench.figures import Spread, spread_of
from ethereal.bench.machine import describe_machine
from ethereal.bench.roles import grown
from ethereal.bench.traffic import Taken, Traffic, open_traffic
from ethereal.bootstrap import cores, open_job_store
from ethereal.client import FINAL, ApiClient
from ethereal.errors import EtherealError
from ethereal.settings import read_settings
from tests.round_trips import count_round_trips

RESULT = Path("bench/results/load.json")
CLIENTS_AT_ONCE = 16
_CHAINS = 10  # renders that are timed alone


@dataclass(frozen=True)
class Wanted:
    jobs: int
    renders: int
    minutes: float
    polling: int
    following: int
    rate: float  #: submits a second


@click.command()
@click.option("--url", help="A stack that runs already; default: one is started for this.")
@click.option("--token", help="Its API token.")
@click.option("--jobs", default=1000, show_default=True, help="Queued at once and drained.")
@click.option("--renders", default=10, show_default=True, help="Shortest videos queued at once and drained.")
@click.option("--minutes", default=5.0, show_default=True, help="How long clients poll, follow and submit.")
@click.option("--polling", default=200, show_default=True, help="Clients that look every 2.5 s.")
@click.option("--following", default=100, show_default=True, help="Event streams.")
@click.option("--rate", default=20.0, show_default=True, help="Submits a second meanwhile.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), default=RESULT)
def main(url: str | None, token: str | None, output: Path, **wanted: Any) -> None:
    """Measure submits, polls, streams and the queue; nothing else should be running."""
    machine = describe_machine(cores())
    with target_of(url, token) as target:
        measured = asyncio.run(measure(target, Wanted(**wanted)))
    measured["roundTripsPerSubmit"] = count_round_trips()
    measured["bars"] = bars_of(measured)
    output.parent.mkdir(parents=True, exist_ok=True)
    taken = datetime.now(UTC).isoformat(timespec="seconds")
    shown = {"taken": taken, "machine": asdict(machine), "wanted": wanted, **measured}
    output.write_text(json.dumps(shown, indent=1, default=asdict) + "\n")
    for name, bar in measured["bars"].items():
        click.echo(f"  {name:32} {bar['measured']!s:>10}, must be {bar['must']}")
    for error in measured["errors"]["first"]:
        click.echo(f"  {error}", err=True)
    sys.exit(1 if measured["errors"]["count"] else 0)


async def measure(target: Target, wanted: Wanted) -> dict[str, Any]:
    async with open_traffic(target.client.base_url, target.client.token) as traffic:
        warm_up(target)
        chain = chain_of(target)
        before = target.memory()
        drained = await drain(target, traffic, "preview", wanted.jobs)
        rendered = await drain(target, traffic, "render", wanted.renders)
        held, memory = await hold(target, traffic, wanted)
        taken = traffic.taken
        times = {kind: spread_of(seconds) for kind, seconds in taken.seconds.items()}
        return {
            "chain": chain,
            "drained": drained,
            "rendered": rendered,
            "held": held,
            "answers": times,
            "events": {"heard": taken.events, "ends": taken.ends},
            "errors": {"count": len(taken.errors), "first": taken.errors[:10]},
            "memory": {"before": before, **memory},
        }


def warm_up(target: Target) -> None:
    """Let every worker have done each kind of work: imports and browsers take seconds."""
    previews = [target.client.edit("preview", target.preview())["jobId"] for _ in range(10)]
    for job_id in previews:
        finished(target.client, job_id)
    finished(target.client, target.client.call("POST", "/api/render", target.render())["jobId"])


def chain_of(target: Target) -> dict[str, Any] | None:
    """What lies between the steps of a render, on an empty queue; its steps are looked up in the store."""
    if target.stack is None:
        return None
    store, waits = open_job_store(read_settings(data_dir=target.stack.options.data_dir)), []
    for _ in range(_CHAINS):
        asked_at = datetime.now(UTC)
        job_id = target.client.call("POST", "/api/render", target.render())["jobId"]
        finished(target.client, job_id)
        waits.append(chain_overhead(asked_at, store.steps(job_id)).total_seconds())
    store.close()
    return {"overhead": spread_of(waits)}


async def drain(target: Target, traffic: Traffic, kind: str, jobs: int) -> dict[str, Any]:
    """Queue so many at once and wait until all have ended well."""
    path, make = _KINDS[kind]
    first, started = len(traffic.taken.jobs), time.monotonic()
    await traffic.submit_at_once(
        f"{kind} at once", path, [make(target) for _ in range(jobs)], clients=CLIENTS_AT_ONCE
    )
    queued = time.monotonic() - started
    await asyncio.to_thread(wait_until_empty, target.client, kind)
    seconds = time.monotonic() - started
    shown = look_at(target.client, kind, traffic.taken.jobs[first:], traffic.taken)
    return {"jobs": jobs, "queuedSeconds": round(queued, 2), "seconds": round(seconds, 2), **shown} | {
        "jobsPerSecond": round(jobs / seconds, 1)
    }


_KINDS = {
    "preview": ("/api/audio/edit/preview", Target.preview),
    "render": ("/api/render", Target.render),
}


def wait_until_empty(client: ApiClient, kind: str) -> None:
    """A job that waits at one look and runs at the next is seen by one of them."""
    while any(client.jobs(type=kind, status=status, limit=1) for status in ("pending", "processing")):
        time.sleep(0.25)


def look_at(client: ApiClient, kind: str, ids: list[str], taken: Taken) -> dict[str, Any]:
    """How long these jobs waited in the queue; one that did not end well is an error."""
    wanted, cursor, delays = set(ids), None, []
    while wanted:
        query = f"type={kind}&limit=100" + (f"&cursor={cursor}" if cursor else "")
        page = client.call("GET", f"/api/jobs?{query}")
        for job in page["jobs"]:
            if job["jobId"] in wanted:
                wanted.remove(job["jobId"])
                delays.append(seconds_between(job, "createdAt", "startedAt"))
                if job["status"] != "complete":
                    taken.errors.append(f"job {job['jobId']} is {job['status']}: {job.get('error')}")
        if (cursor := page["cursor"]) is None:
            break
    taken.errors.extend(f"job {job_id} is lost" for job_id in wanted)
    return {"queueDelay": spread_of(delays)}


def seconds_between(job: Mapping[str, str], start: str, end: str) -> float:
    return (datetime.fromisoformat(job[end]) - datetime.fromisoformat(job[start])).total_seconds()


async def hold(target: Target, traffic: Traffic, wanted: Wanted) -> tuple[dict[str, Any], dict[str, Any]]:
    """Clients poll and submit for the minutes while others follow renders that go on all the time."""
    seconds, taken = wanted.minutes * 60, traffic.taken
    with ExitStack() as held:
        streams = await follow_renders(target, traffic, wanted.following, held)
        start, first = target.memory(), len(taken.jobs)
        previews = [target.preview() for _ in range(round(wanted.rate * seconds))]
        await asyncio.gather(
            traffic.submit_steadily("submit", _KINDS["preview"][0], previews, rate=wanted.rate),
            traffic.poll_all(wanted.polling, seconds),
        )
        heard = taken.events
        await asyncio.to_thread(wait_until_empty, target.client, "preview")
        end = target.memory()
        await asyncio.gather(*(cancel(traffic, job_id) for job_id in streams))
        await asyncio.gather(*streams.values())
    shown = look_at(target.client, "preview", taken.jobs[first:], taken)
    requests = len(taken.seconds.get("poll", [])) + len(previews)
    figures = {"requestsPerSecond": round(requests / seconds, 1), "eventsHeard": heard, **shown}
    return figures, {"start": start, "end": end, "grownMib": grown(start, end)}


async def follow_renders(
    target: Target, traffic: Traffic, number: int, held: ExitStack
) -> dict[str, asyncio.Task[None]]:
    """A stream for each of so many renders, which nobody draws and which get on until `held` is left."""
    if target.stack:
        held.enter_context(nobody_draws(target.stack))
    first = len(traffic.taken.jobs)
    renders = [target.render() for _ in range(number)]
    await traffic.submit_at_once("render at once", "/api/render", renders, clients=CLIENTS_AT_ONCE)
    followed = traffic.taken.jobs[first:]
    await asyncio.to_thread(wait_until_prepared, target.client, set(followed))
    streams = {job_id: asyncio.create_task(traffic.follow(job_id)) for job_id in followed}
    if target.stack:
        held.enter_context(progress_told(target.stack.broker_url, followed))
    return streams


def wait_until_prepared(client: ApiClient, ids: set[str]) -> None:
    """Return when no worker of short tasks has these renders before it any more."""
    while ids & {job["jobId"] for job in client.jobs(type="render", status="pending", limit=100)}:
        time.sleep(0.25)


async def cancel(traffic: Traffic, job_id: str) -> None:
    answer = await traffic.ask("look", "GET", f"/api/jobs/{job_id}")
    if answer is not None and answer["status"] not in FINAL:
        await traffic.ask("cancel", "POST", f"/api/jobs/{job_id}/cancel")


def bars_of(measured: Mapping[str, Any]) -> dict[str, Any]:
    """Each figure that has a bar, and what it must be."""
    answers, chain = measured["answers"], measured["chain"]
    figures = {
        "submit p95, ms": (p95_of(answers.get("submit")), 60),
        "poll p95, ms": (p95_of(answers.get("poll")), 15),
        "chain overhead p95, ms": (p95_of(chain["overhead"]) if chain else None, 150),
    }
    bars = {
        name: {"measured": value, "must": f"< {limit}", "met": None if value is None else value < limit}
        for name, (value, limit) in figures.items()
    }
    trips, errors = measured["roundTripsPerSubmit"], measured["errors"]["count"]
    bars["round trips of a submit"] = {"measured": trips, "must": "<= 3", "met": max(trips.values()) <= 3}
    bars["errors"] = {"measured": errors, "must": "0", "met": errors == 0}
    return bars


def p95_of(spread: Spread | None) -> float | None:
    return spread.p95 if spread else None


if __name__ == "__main__":
    try:
        main()
    except EtherealError as error:
        click.echo(f"{error.code} {error}", err=True)
        sys.exit(1)
