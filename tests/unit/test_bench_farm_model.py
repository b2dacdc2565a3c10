"""The simulated farm gives the answers that are known beforehand."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import pytest

from ethereal.bench.farm_model import WIDTHS, Work, chunk_count_for, draw, forecast, wall_of
from ethereal.render.chunks import deal_chunks, gops_of

# Ten minutes at 30 frames a second: 300 GOPs.
WORK = Work(
    frame_count=18_000,
    gop_frames=60,
    seconds_per_frame=0.1,
    spread=(1.0,),
    boot=2.0,
    begin=0.0,
    listen=5.0,
    plan=3.0,
    assemble=4.0,
    frame_bytes=0.0,
    plan_bytes=0.0,
    transfer_rate=1e6,
    transfer_delay=0.0,
)


def test_one_worker_takes_the_sum_of_all_there_is_to_do() -> None:
    assert wall_of(WORK, 1, 30) == pytest.approx(5 + 3 + 2 + 1800 + 4)


def test_two_workers_halve_the_drawing_and_nothing_else() -> None:
    assert wall_of(WORK, 2, 30) == pytest.approx(5 + 3 + 2 + 900 + 4)


def test_a_chunk_more_than_there_are_workers_costs_a_whole_round() -> None:
    assert draw(WORK, 99, 100) == pytest.approx(2 + 2 * 18)


def test_endless_workers_are_bound_by_the_slowest_chunk_and_what_comes_before_and_after_it() -> None:
    uneven = replace(WORK, spread=(1.0, 1.0, 1.5))
    chunks = deal_chunks(gops_of(uneven.frame_count, uneven.gop_frames), 300)

    assert wall_of(uneven, 10**6, 300) == pytest.approx(5 + 3 + 2 + max(map(uneven.chunk, chunks)) + 4)
    assert max(map(uneven.chunk, chunks)) == pytest.approx(60 * 0.1 * 1.5)


def test_every_transfer_is_paid_for_where_it_is_waited_for() -> None:
    paid = replace(WORK, transfer_delay=0.5, plan_bytes=2e6, frame_bytes=1000)

    before, boot = 0.5 + 2, 0.5 + 2  # the plan up, the plan down
    chunks = 30 * 0.5 + 18  # of one worker, up
    after = 4 * 0.5 + 18 + 0.5 + 18  # all chunks down, eight at a time, and the video up
    assert wall_of(paid, 1, 30) == pytest.approx(wall_of(WORK, 1, 30) + before + boot + chunks + after)


def test_a_forecast_deals_as_a_plan_does() -> None:
    for told in forecast(WORK):
        assert told.chunks == chunk_count_for(WORK, told.workers)
        assert told.wall == pytest.approx(wall_of(WORK, told.workers, told.chunks))
        assert told.wall == pytest.approx(told.before + told.drawing + told.after)


def test_more_workers_are_faster_and_each_of_them_worth_less() -> None:
    told = forecast(WORK)

    assert [one.workers for one in told] == list(WIDTHS)
    assert (told[0].speed_up, told[0].efficiency) == (1, 1)
    assert all(one.wall >= two.wall for one, two in pairwise(told))
    assert all(one.efficiency >= two.efficiency for one, two in pairwise(told))


def test_the_limit_is_named_where_it_moves_from_drawing_to_what_one_worker_does() -> None:
    assert {one.limit for one in forecast(WORK)} == {"drawing"}
    slow = forecast(replace(WORK, assemble=60.0))
    assert [one.limit for one in slow] == sorted((one.limit for one in slow), reverse=True)
    assert (slow[0].limit, slow[-1].limit) == ("drawing", "assembling")
    assert forecast(replace(WORK, plan=60.0), [1000])[0].limit == "planning"


def test_the_same_work_gives_the_same_forecast() -> None:
    uneven = replace(WORK, spread=(1.0, 1.2, 0.9), frame_bytes=float(Fraction(10_000, 3)))

    assert forecast(uneven) == forecast(uneven)
