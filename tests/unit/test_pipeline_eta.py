"""The guess at a render's end: by its mean rate while all are busy, by its last chunk when they are not."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from ethereal.jobs.request import EtaTold
from ethereal.live import LiveFrames, MemoryLiveProgress
from ethereal.pipeline.eta import (
    can_tell,
    eta_errors,
    make_eta,
    make_farm_eta,
    median_eta_error,
    note_predictions,
    told_etas,
)

TAIL = 2.0


def farm(sizes: list[int], *chunks: tuple[int, float, float]) -> LiveFrames:
    """Chunks that were begun: frames drawn, when it began, when it was last heard of."""
    numbered = dict(enumerate(chunks))
    return LiveFrames(
        total=sum(sizes),
        started_at=0.0,
        by_chunk={index: drawn for index, (drawn, _, _) in numbered.items()},
        sizes=sizes,
        since={index: since for index, (_, since, _) in numbered.items()},
        at={index: at for index, (_, _, at) in numbered.items()},
        own={index: drawn for index, (drawn, _, _) in numbered.items()},
    )


def guess(frames: LiveFrames, now: float) -> float:
    return make_farm_eta(frames, now).seconds - TAIL


def test_where_nothing_is_known_of_chunks_the_mean_rate_tells() -> None:
    frames = LiveFrames(total=100, started_at=0.0, by_chunk={0: 50})
    assert guess(frames, 10.0) == 10
    assert make_eta(50, 100, 10.0).seconds == pytest.approx(10.3), "and a little to join the chunks"


def test_chunks_that_run_side_by_side_end_when_the_slower_one_does() -> None:
    assert guess(farm([100, 100], (50, 0, 5), (50, 0, 5)), 5.0) == pytest.approx(5)
    uneven = guess(farm([100, 100], (90, 0, 10), (30, 0, 10)), 10.0)
    assert uneven == pytest.approx(70 * 10 / 30, rel=0.25), "the mean rate would say 6.7 s"


def test_what_waits_is_dealt_out_to_the_workers_there_are() -> None:
    frames = farm([100] * 5, (100, 0, 10), (100, 0, 10), (50, 10, 15), (50, 10, 15))
    assert guess(frames, 15.0) == pytest.approx(5 + 10, abs=1), "one more chunk, on one of two workers"


def test_a_worker_between_two_chunks_is_counted() -> None:
    frames = farm([100] * 4, (100, 0, 10), (100, 0, 10))
    assert guess(frames, 10.2) == pytest.approx(10, abs=1)


def test_a_chunk_that_stands_still_is_drawn_elsewhere_and_bounds_the_guess() -> None:
    frames = farm([100, 100], (100, 0, 10), (1, 0, 100))
    assert guess(frames, 100.0) <= 3 * 100 * (110 / 101)


def test_frames_that_were_there_before_do_not_make_the_farm_look_quick() -> None:
    frames = farm([100, 100], (50, 0, 5))
    reused = LiveFrames(**{**frames.__dict__, "by_chunk": {0: 50, 1: 100}, "total": 200})
    assert guess(reused, 5.0) == pytest.approx(5)


def test_copied_frames_of_a_chunk_do_not_make_it_look_quick() -> None:
    frames = farm([100, 100], (90, 0, 10), (90, 0, 10))
    assert guess(replace(frames, had={0: 80, 1: 80}), 10.0) == pytest.approx(10), "a frame a second"
    assert guess(frames, 10.0) < 2


def test_a_chunk_drawn_again_is_measured_by_its_own_frames_whatever_the_bar_shows() -> None:
    again = replace(farm([100], (90, 0, 10)), own={0: 20})
    assert guess(again, 10.0) == pytest.approx(80 * 10 / 20)


def test_nothing_is_guessed_until_frames_were_drawn_that_tell() -> None:
    copied, soon, telling = (replace(farm([1000], (n, 0, 1)), had={0: 900}) for n in (900, 903, 904))
    assert [can_tell(frames) for frames in (copied, soon, telling)] == [False, False, True]
    assert can_tell(LiveFrames(total=100, started_at=0.0, by_chunk={0: 4})), "a call elsewhere tells no more"
    live = MemoryLiveProgress(lambda: 1.0)
    live.start("job", 1000, [1000])
    live.begin("job", 0, 900)
    live.put("job", 0, 900)
    note_predictions(live, "job", copied, 1.0)
    kept = live.frames("job")
    assert kept is not None
    assert not kept.predicted


def test_the_range_narrows_as_frames_come_in() -> None:
    early, late = make_eta(10, 100, 10.0), make_eta(90, 100, 10.0)
    assert early.low < early.seconds < early.high
    assert (late.high - late.low) / late.seconds < (early.high - early.low) / early.seconds


def test_guesses_are_kept_once_for_each_mark_and_held_against_what_happened(
    caplog: pytest.LogCaptureFixture,
) -> None:
    live = MemoryLiveProgress(lambda: 0.0)
    live.start("job", 100)
    for done, now in ((10, 1.0), (30, 3.0), (40, 4.0), (60, 6.0), (80, 8.0)):
        live.put("job", 0, done)
        frames = live.frames("job")
        assert frames is not None
        note_predictions(live, "job", frames, now)

    with caplog.at_level(logging.INFO):
        told = told_etas(live.frames("job"), "job", 11.0)

    assert [(eta.at, eta.predicted, eta.took) for eta in told] == [(25, 9, 8), (50, 6, 5), (75, 4, 3)]
    assert "predicted 9.0 s, took 8.0 s" in caplog.text
    assert eta_errors(told) == pytest.approx([1 / 8, 1 / 5, 1 / 3])
    assert median_eta_error(told) == pytest.approx(1 / 5)


def test_no_guess_has_no_error() -> None:
    assert told_etas(None, "job", 1.0) == ()
    assert median_eta_error([EtaTold(at=25, predicted=1, took=0)]) is None
