"""What every live progress promises, held against each adapter."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from ethereal.embedded.broker import open_broker
from ethereal.live import LiveFrames, LiveProgress, MemoryLiveProgress
from ethereal.live.redis import RedisLiveProgress

Clock = Callable[[], float]


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with open_broker(tmp_path_factory.mktemp("broker")) as url:
        yield url


@pytest.fixture
def times() -> list[float]:
    """Turned by hand: the last one is now."""
    return [100.0]


@pytest.fixture(params=["memory", "redis"])
def live(request: pytest.FixtureRequest, broker: str, times: list[float]) -> LiveProgress:
    def clock() -> float:
        return times[-1]

    return MemoryLiveProgress(clock) if request.param == "memory" else RedisLiveProgress(broker, clock)


def test_it_tells_what_is_drawn_of_each_chunk_since_when_and_what_was_guessed(
    live: LiveProgress, times: list[float], request: pytest.FixtureRequest
) -> None:
    job = request.node.name
    assert live.frames(job) is None
    live.start(job, 30, [20, 10])
    live.start(job, 30, [20, 10])
    times.append(101.5)
    live.begin(job, 1, 1)
    times.append(103.0)
    live.put(job, 1, 4, own=3)
    live.predict(job, 25, 103.0, 7.5)
    live.predict(job, 25, 104.0, 6.5)

    told = live.frames(job)
    guesses = {25: (103.0, 7.5)}
    assert told == LiveFrames(30, 100.0, {1: 4}, (20, 10), {1: 101.5}, {1: 103.0}, guesses, {1: 1}, {1: 3})
    assert (told.done, told.busy, told.fresh) == (4, {1: 1.5}, {1: 2})
    assert live.frames_of([job, "nobody"]) == {job: told}
    live.begin(job, 1, 5)
    again = live.frames(job)
    assert again is not None
    assert (again.done, again.fresh) == (4, {1: 0}), "the bar stays, the pace is measured anew"
    live.put(job, 1, 10)
    assert (live.frames(job) or told).fresh == {1: 5}
    live.clear(job)
    assert live.frames(job) is None


def test_a_server_that_is_away_is_nobodys_error() -> None:
    live = RedisLiveProgress("redis://127.0.0.1:1/0")
    live.start("job", 1)
    live.begin("job", 0)
    live.put("job", 0, 1)
    live.predict("job", 25, 1.0, 1.0)
    live.clear("job")

    assert live.frames("job") is None
    assert live.frames_of(["job"]) == {}
