"""Making things ahead: in order, not too far, errors in their turn, and nothing runs on after the end."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import closing

import pytest

from ethereal.audio.ahead import ahead


def counting(made: list[int], last: int = 1000) -> Generator[int]:
    try:
        for number in range(last):
            made.append(number)
            yield number
    finally:
        made.append(-1)


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("ahead")]


def test_all_of_it_comes_in_its_order() -> None:
    assert list(ahead(counting([], 50), 3)) == list(range(50))
    assert list(ahead(counting([], 0))) == []
    assert threads() == []


def test_whoever_stops_early_stops_what_is_made() -> None:
    made: list[int] = []
    with closing(ahead(counting(made), 3)) as numbers:
        assert [next(numbers) for _ in range(4)] == [0, 1, 2, 3]

    assert len(made) <= 4 + 3 + 1
    assert made[-1] == -1, "it was closed"
    assert threads() == []


def test_an_error_comes_after_what_was_made_before_it() -> None:
    def failing() -> Generator[int]:
        yield from (0, 1)
        raise ValueError("here")

    heard: list[int] = []
    with pytest.raises(ValueError, match="here"):
        heard.extend(ahead(failing()))

    assert heard == [0, 1]
    assert threads() == []
