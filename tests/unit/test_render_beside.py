"""Work beside a block: waited for, heard of, and stopped with it."""

from __future__ import annotations

import threading

import pytest

from ethereal.beat import Beat, no_beat
from ethereal.errors import LeaseLostError, RenderError
from ethereal.render.beside import working_beside


def endless(beat: Beat) -> None:
    while True:
        beat(0.5)


def test_what_the_work_raises_is_raised_where_it_is_waited_for() -> None:
    def fail(beat: Beat) -> None:
        raise RenderError("no sound")

    with pytest.raises(RenderError, match="no sound"), working_beside(fail) as wait:
        wait(no_beat)


def test_the_beat_is_called_by_the_thread_that_waits() -> None:
    heard: list[tuple[float, threading.Thread]] = []

    with working_beside(lambda beat: beat(0.5)) as wait:
        wait(lambda fraction: heard.append((fraction, threading.current_thread())))

    assert heard[-1] == (1.0, threading.current_thread())
    assert {thread for _, thread in heard} == {threading.current_thread()}


def test_a_beat_that_raises_stops_the_work() -> None:
    def stop(fraction: float) -> None:
        raise LeaseLostError

    with pytest.raises(LeaseLostError), working_beside(endless) as wait:
        wait(stop)

    assert not [thread for thread in threading.enumerate() if thread.name.startswith("beside")]


def test_a_block_that_fails_stops_the_work() -> None:
    with pytest.raises(RenderError), working_beside(endless):
        raise RenderError("no picture")

    assert not [thread for thread in threading.enumerate() if thread.name.startswith("beside")]
