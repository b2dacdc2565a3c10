"""The chaos bench: schedules by seed, waits told by faults, bars that are missed by name."""

from __future__ import annotations

from typing import Any

from bench.chaos.bars import missed_bars
from bench.chaos.schedule import KINDS, Fault, draw_faults
from bench.chaos.verdict import recoveries
from tests.fault.audit import Event, doubled, run_again
from tests.standins.wire import frame_end, has_popped, is_pop

STEP = ("preview_edit", 0)


def event(at: float, kind: str, attempt: int = 0) -> Event:
    return Event(at, kind, "job", STEP, attempt)


def test_a_seed_draws_the_same_faults_again_and_another_seed_others() -> None:
    drawn = draw_faults(7, 300, gap=2.0)

    assert drawn == draw_faults(7, 300, gap=2.0)
    assert drawn != draw_faults(8, 300, gap=2.0)
    assert {fault.kind for fault in drawn} == set(KINDS)
    assert [fault.at for fault in drawn] == sorted(fault.at for fault in drawn)


def test_a_step_that_was_lost_waits_from_the_fault_to_its_next_claim() -> None:
    told = [event(10, "stored"), event(10.1, "claim", 1), event(19, "claim", 2)]
    faults = [(5.0, Fault(0, "kill-web")), (12.0, Fault(1, "kill-child")), (15.0, Fault(2, "reset-broker"))]

    (wait,) = recoveries(told, faults)

    assert (wait.seconds, wait.attempt, wait.struck) == (7.0, 2, ["kill-child", "reset-broker"])


def test_a_step_that_waits_its_turn_recovers_from_nothing() -> None:
    assert recoveries([event(10, "stored"), event(30, "claim", 1)], []) == []


def test_what_was_ended_twice_is_found() -> None:
    told = [event(1, "claim", 1), event(2, "done", 1), event(3, "claim", 2), event(4, "done", 2)]

    assert doubled(told) == [("job", STEP)]
    assert run_again(told) == 1


def test_a_bar_that_is_missed_is_named() -> None:
    told: dict[str, Any] = {
        "jobs": 10,
        "faults": 2,
        "asked": [10, 2],
        "lost": {},
        "doubled": [],
        "orphans": {"files": 0},
        "recoverySeconds": {"count": 1, "max": 12.0},
        "control": {"lost": 1, "doubled": 0},
    }
    assert missed_bars(told, 6) == []

    told |= {
        "lost": {"job": "failed"},
        "recoverySeconds": {"max": 36.0},
        "control": {"lost": 0, "doubled": 0},
    }
    assert missed_bars(told, 6) == [
        "no job was lost",
        "lost steps came back in time",
        "plain Celery lost or doubled something",
    ]


def test_the_wire_knows_where_a_reply_ends_and_whether_it_hands_something_out() -> None:
    handed = b"*2\r\n$3\r\ncpu\r\n$2\r\n{}\r\n"

    assert frame_end(handed + b"+OK\r\n") == len(handed)
    assert frame_end(handed[:-1]) is None
    assert (frame_end(b"*-1\r\n"), frame_end(b"$-1\r\n+OK\r\n")) == (5, 5)
    assert has_popped(handed)
    assert not has_popped(b"*-1\r\n")
    assert is_pop(b"*3\r\n$5\r\nBRPOP\r\n$3\r\ncpu\r\n$1\r\n1\r\n")
    assert not is_pop(b"*2\r\n$4\r\nLLEN\r\n$3\r\ncpu\r\n")
