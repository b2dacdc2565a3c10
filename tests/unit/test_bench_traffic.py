"""What the bench of a loaded stack makes of what it saw."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ethereal.bench.chain import chain_overhead
from ethereal.bench.figures import Spread, spread_of
from ethereal.bench.roles import Role, grown, role_of
from ethereal.jobs.model import JobId, Step, StepKey, StepName
from tests.builders import NOON


def step(name: StepName, claimed: int, finished: int | None) -> Step:
    """A step that ran from one second after noon to another."""
    return Step(
        job_id=JobId("a"),
        key=StepKey(name),
        claimed_at=NOON + timedelta(seconds=claimed),
        finished_at=None if finished is None else NOON + timedelta(seconds=finished),
        not_before=NOON,
        announce_at=NOON,
    )


def test_percentiles_are_times_that_were_measured() -> None:
    assert spread_of([]) is None
    assert spread_of([0.25]) == Spread(1, 250, 250, 250, 250)
    assert spread_of([number / 1000 for number in range(100, 0, -1)]) == Spread(100, 50, 95, 99, 100)


def test_the_chain_costs_the_time_in_which_no_step_ran() -> None:
    steps = [
        step(StepName.PREPARE_AUDIO, 1, 4),
        step(StepName.PLAN_RENDER, 6, 10),
        step(StepName.DRAW_CONTACT, 11, 20),
        step(StepName.RENDER_CHUNK, 15, 30),  # beside the contact sheet
        step(StepName.ASSEMBLE_VIDEO, 40, 41),
    ]

    assert chain_overhead(NOON, steps) == timedelta(seconds=1 + 2 + 1)
    assert chain_overhead(NOON, [step(StepName.RENDER_CHUNK, 3, None)]) == timedelta(seconds=3)
    with pytest.raises(ValueError, match="no chunk"):
        chain_overhead(NOON, steps[:2])


@pytest.mark.parametrize(
    ("command", "role"),
    [
        ("python /x/bin/gunicorn web.wsgi:app --bind 127.0.0.1:1", "web"),
        ("python celery -A tasks.app worker -n cpu@%h -Q cpu", "worker"),
        ("python celery -A tasks.app worker -n render@%h -Q render", "render"),
        ("python celery -A tasks.app beat -s x", "beat"),
        ("/x/valkey-server 127.0.0.1:1", "broker"),
        ("python -m ethereal.process.guard -- celery -A tasks.app worker -n cpu@%h", "others"),
        ("sleep 1", "others"),
    ],
)
def test_processes_are_told_apart_by_what_they_run(command: str, role: str) -> None:
    assert role_of(command.split()) == role


def test_growth_is_told_of_what_was_there_at_both_ends() -> None:
    before = {"web": Role(2, 100.0, 1.0), "browser": Role(5, 300.0, 1.0)}

    assert grown(before, {"web": Role(2, 101.5, 9.0), "beat": Role(1, 60.0, 0.1)}) == {"web": 1.5}
