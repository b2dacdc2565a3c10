"""What counting requests promises, held against each adapter."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ethereal.embedded.broker import open_broker
from ethereal.pace import MemoryPace, Pace
from ethereal.pace.redis import RedisPace


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with open_broker(tmp_path_factory.mktemp("pace")) as url:
        yield url


@pytest.fixture(params=["memory", "redis"])
def paces(request: pytest.FixtureRequest, broker: str) -> Callable[[Callable[[], float]], Pace]:
    return MemoryPace if request.param == "memory" else lambda clock: RedisPace(broker, clock)


def test_each_name_is_counted_by_the_minute(
    paces: Callable[[Callable[[], float]], Pace], request: pytest.FixtureRequest
) -> None:
    now = [6000.0]
    pace = paces(lambda: now[0])

    assert [pace.count("a"), pace.count("a"), pace.count("ü\n" * 1000)] == [1, 2, 1]
    now[0] += 59
    assert pace.count("a") == 3
    now[0] += 1
    assert pace.count("a") == 1


def test_processes_count_together(broker: str) -> None:
    assert [RedisPace(broker).count("b"), RedisPace(broker, lambda: 0).count("c")] == [1, 1]
    assert RedisPace(broker, lambda: 59).count("c") == 2


def test_without_a_server_nobody_is_held_up(tmp_path: Path) -> None:
    pace = RedisPace("redis://127.0.0.1:1/0")

    assert [pace.count("a"), pace.count("a")] == [1, 1]
