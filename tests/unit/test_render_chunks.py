"""The GOP grid and the dealing of chunks."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ethereal.errors import InvalidConfigError
from ethereal.render.chunks import choose_chunk_count, deal_chunks, gop_frames_for, gops_of
from ethereal.render.formats import FRAME_RATES


@pytest.mark.parametrize("fps", FRAME_RATES)
def test_a_gop_lasts_two_seconds_whatever_the_rate(fps: Fraction) -> None:
    assert abs(gop_frames_for(fps) / fps - 2) < Fraction(1, 100)


@given(frame_count=st.integers(1, 5000), gop_frames=st.integers(1, 120), chunk_count=st.integers(1, 1000))
def test_chunks_are_whole_gops_that_cover_every_frame_once(
    frame_count: int, gop_frames: int, chunk_count: int
) -> None:
    gops = gops_of(frame_count, gop_frames)

    chunks = deal_chunks(gops, chunk_count)

    assert [frame for chunk in chunks for gop in chunk.gops for frame in gop] == list(range(frame_count))
    assert len(chunks) == min(chunk_count, len(gops))
    sizes = {chunk.gop_count for chunk in chunks}
    assert 0 not in sizes
    assert max(sizes) - min(sizes) <= 1
    assert all(chunk.frame_count == chunk.end_frame - chunk.start_frame for chunk in chunks)


def test_a_chunk_is_named_by_its_gops_however_the_others_are_dealt() -> None:
    gops = gops_of(600, 60)

    assert [chunk.name for chunk in deal_chunks(gops, 2)] == ["000000-000004", "000005-000009"]
    assert deal_chunks(gops, 1)[0].name == "000000-000009"


@pytest.mark.parametrize("chunk_count", [0, -1, 1001])
def test_a_chunk_count_out_of_range_is_refused(chunk_count: int) -> None:
    with pytest.raises(InvalidConfigError):
        deal_chunks(gops_of(600, 60), chunk_count)


@pytest.mark.parametrize(
    ("frames", "seconds_per_frame", "width", "chunks"),
    [
        (60, 0.05, 8, 1),  # 3 s of work are not worth a second task
        (1200, 0.05, 2, 8),  # 60 s of work for two workers: four chunks each
        (1200, 0.05, 64, 12),  # no chunk under 5 s of work
        (36_000, 0.05, 1, 30),  # no chunk over a minute
        (10_000_000, 1.0, 1, 1000),
    ],
)
def test_the_chunk_count_follows_from_the_work_and_the_farm(
    frames: int, seconds_per_frame: float, width: int, chunks: int
) -> None:
    count = choose_chunk_count(
        gop_count=len(gops_of(frames, 60)),
        frame_count=frames,
        seconds_per_frame=seconds_per_frame,
        width_of_farm=width,
    )

    assert count == chunks
