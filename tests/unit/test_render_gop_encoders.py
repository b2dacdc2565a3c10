"""Many GOPs at once: the order of drawing, the bytes, and what happens when one side gives up."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

import pytest

from ethereal.errors import LeaseLostError, RenderError, SceneFailedError
from ethereal.render import gop_encoders
from ethereal.render.chunks import gops_of
from ethereal.render.composition import Composition
from ethereal.render.encode import EncodedGop, EncoderSettings
from ethereal.render.encoder_settings import encoder_document, read_settings
from ethereal.render.formats import QUALITIES
from ethereal.render.gop_encoders import GopTimes, drawing_order, encode_gops, most_at_once
from tests.render_fakes import NumpyRenderer

CARD = Composition("card", "testcard", 160, 96, Fraction(24), 1, {})
SETTINGS = read_settings(encoder_document(CARD, QUALITIES["draft"]))


def run(
    gops: Sequence[range],
    renderer: NumpyRenderer | None = None,
    encoders: int = 2,
    stop_at: int | None = None,
) -> list[EncodedGop]:
    def beat(drawn: int) -> None:
        if drawn == stop_at:
            raise LeaseLostError

    renderer = renderer or NumpyRenderer(160, 96, 7)
    times = GopTimes()
    return list(encode_gops(renderer.draw, gops, SETTINGS, encoders=encoders, beat=beat, times=times))


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    yield
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("gop-encoder")]


def test_the_bytes_are_the_same_with_any_number_of_encoders() -> None:
    gops = gops_of(200, 48)

    assert run(gops, encoders=1) == run(gops, encoders=2) == run(gops, encoders=7)


def test_as_many_gops_are_drawn_in_step_as_there_are_encoders() -> None:
    order = drawing_order([range(0, 2), range(2, 4), range(4, 6), range(6, 7)], encoders=2, most=3)

    assert [frame for _, frame in order] == [0, 2, 1, 3, 4, 5, 6]
    assert [gop for gop, _ in order] == [0, 1, 0, 1, 2, 2, 3]


def test_a_gop_left_over_is_drawn_with_the_last_ones_and_ends_with_them() -> None:
    order = drawing_order([range(0, 4), range(4, 8), range(8, 10)], encoders=2, most=3)

    assert [frame for _, frame in order] == [0, 4, 1, 5, 8, 2, 6, 3, 7, 9]


def test_a_gop_left_over_is_drawn_alone_where_memory_is_short() -> None:
    order = drawing_order([range(0, 2), range(2, 4), range(4, 5)], encoders=2, most=2)

    assert [frame for _, frame in order] == [0, 2, 1, 3, 4]


def test_what_an_encoder_only_looks_at_is_drawn_before_the_frames_of_the_others() -> None:
    gops = [range(0, 4), range(4, 8), range(8, 12), range(12, 16)]

    order = drawing_order(gops, encoders=2, most=3, lookahead=2)

    assert [frame for _, frame in order[:8]] == [0, 1, 4, 2, 5, 6, 3, 7]
    assert [frame for _, frame in order[8:10]] == [8, 9]


def test_a_lookahead_longer_than_a_gop_leaves_no_frame_out() -> None:
    order = drawing_order([range(0, 2), range(2, 4)], encoders=2, most=3, lookahead=40)

    assert [frame for _, frame in order] == [0, 2, 1, 3]


@pytest.mark.parametrize(
    ("width", "height", "encoders", "most"),
    [(1280, 720, 4, 5), (1920, 1080, 2, 3), (3840, 2160, 4, 2), (3840, 2160, 1, 2), (8192, 8192, 4, 1)],
)
def test_fewer_gops_of_large_pictures_are_in_memory(
    width: int, height: int, encoders: int, most: int
) -> None:
    assert most_at_once(replace(SETTINGS, width=width, height=height), encoders) == most


def test_every_frame_is_drawn_once_and_told_of() -> None:
    told: list[int] = []
    renderer = NumpyRenderer(160, 96, 7)

    list(
        encode_gops(renderer.draw, gops_of(100, 48), SETTINGS, encoders=2, beat=told.append, times=GopTimes())
    )

    assert sorted(renderer.drawn) == list(range(100))
    assert told == sorted(told)
    assert set(told) >= set(range(1, 101))


@pytest.mark.parametrize("stop_at", [1, 48, 60, 200])
def test_a_beat_that_raises_stops_drawing_and_encoding(stop_at: int) -> None:
    renderer = NumpyRenderer(160, 96, 7)

    with pytest.raises(LeaseLostError):
        run(gops_of(200, 48), renderer, stop_at=stop_at)

    assert len(renderer.drawn) <= stop_at + 1


def test_a_renderer_that_fails_half_way_stops_the_encoders() -> None:
    class Failing(NumpyRenderer):
        def draw(self, frames: Sequence[int]) -> Iterator[memoryview]:
            yield from super().draw(frames[:70])
            raise SceneFailedError("context lost")

    with pytest.raises(SceneFailedError):
        run(gops_of(200, 48), Failing(160, 96, 7))


def test_an_encoder_that_fails_does_not_leave_drawing_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(pictures: Iterator[object], settings: EncoderSettings) -> EncodedGop:
        next(pictures)
        raise RenderError("the encoder broke")

    monkeypatch.setattr(gop_encoders, "encode_pictures", fail)

    with pytest.raises(RenderError, match="the encoder broke"):
        run(gops_of(400, 48))


@pytest.mark.parametrize("size", [(160, 98), (160, 94)])
def test_a_frame_of_another_size_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(RenderError, match="bytes"):
        run(gops_of(60, 48), NumpyRenderer(*size, 7))


def test_too_few_frames_are_refused() -> None:
    class Short(NumpyRenderer):
        def draw(self, frames: Sequence[int]) -> Iterator[memoryview]:
            yield from super().draw(frames[:-1])

    with pytest.raises(RenderError, match="59 frames of 60"):
        run(gops_of(60, 48), Short(160, 96, 7))
