"""The guard against scenes that draw nothing."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from ethereal.errors import SceneFailedError
from ethereal.render.capture.watch import LONGEST_RUN, Expectations, FrameWatch, read_expectations

SIZE = 160 * 90 * 4
BLACK = memoryview(b"\0\0\0\xff" * (SIZE // 4))
STRICT = Expectations(motion=True, not_black=True)


def grey(level: int) -> memoryview:
    return memoryview(bytes([level, level, level, 255]) * (SIZE // 4))


def with_spot(at: int) -> memoryview:
    picture = bytearray(BLACK)
    picture[at] = 200
    return memoryview(picture)


def look_at(
    pictures: Iterable[memoryview], expects: Expectations = STRICT, *, has_alpha: bool = False
) -> None:
    watch = FrameWatch(expects, SIZE, has_alpha=has_alpha)
    for frame, pixels in enumerate(pictures):
        watch.look(frame, pixels)


def test_a_long_run_of_black_frames_is_a_failure() -> None:
    with pytest.raises(SceneFailedError, match=f"{LONGEST_RUN} blank frames up to frame {LONGEST_RUN - 1}"):
        look_at([BLACK] * LONGEST_RUN)


def test_a_long_run_of_frames_with_nothing_in_them_is_a_failure_whatever_their_colour() -> None:
    clear = [memoryview(bytes([level, 80, 20, 0]) * (SIZE // 4)) for level in range(LONGEST_RUN)]
    with pytest.raises(SceneFailedError, match=f"{LONGEST_RUN} blank frames"):
        look_at(clear, has_alpha=True)
    look_at(clear)


def test_alpha_makes_no_opaque_picture_of_black() -> None:
    black = [memoryview(bytes([0, 0, 0, level]) * (SIZE // 4)) for level in range(LONGEST_RUN)]
    with pytest.raises(SceneFailedError, match=f"{LONGEST_RUN} blank frames"):
        look_at(black)


def test_one_point_that_is_not_clear_is_not_nothing() -> None:
    frames = [bytearray(bytes([level, 80, 20, 0]) * (SIZE // 4)) for level in range(LONGEST_RUN)]
    for frame in frames:
        frame[4003] = 1
    look_at(map(memoryview, frames), has_alpha=True)


def test_a_black_start_is_none() -> None:
    look_at([*[BLACK] * (LONGEST_RUN - 1), grey(3), *[BLACK] * (LONGEST_RUN - 1)])


def test_one_lit_point_is_not_black() -> None:
    look_at((with_spot(4 * frame) for frame in range(100)), Expectations(not_black=True))


def test_a_frozen_picture_is_a_failure_where_motion_is_promised() -> None:
    with pytest.raises(SceneFailedError, match="equal frames"):
        look_at([grey(9)] * 60)


def test_the_smallest_motion_is_motion() -> None:
    look_at(with_spot(4 * (frame % 2) + 4000) for frame in range(100))


def test_a_scene_that_promises_nothing_may_stand_still_in_black() -> None:
    look_at([BLACK] * 100, read_expectations({}))


def test_the_same_frame_asked_for_again_may_look_the_same() -> None:
    watch = FrameWatch(STRICT, SIZE, has_alpha=False)
    for _ in range(100):
        watch.look(7, grey(9))


def test_expectations_are_what_the_scene_says() -> None:
    assert read_expectations({"motion": True, "notBlack": True}) == STRICT
    assert read_expectations({"motion": 1, "else": True}) == Expectations()
