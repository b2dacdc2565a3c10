"""Formats, qualities and rates by name; compositions and how many frames they take."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from ethereal.errors import InvalidConfigError, InvalidInputError
from ethereal.render.composition import Composition, frame_count_for, spell_view
from ethereal.render.formats import FORMATS, get_format, get_quality, parse_fps

CARD = Composition("card", "testcard", 640, 360, Fraction(30), 1, {})


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_can_be_encoded(name: str) -> None:
    size = get_format(name)

    replace(CARD, width=size.width, height=size.height, projection=size.projection).check()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"projection": "cube"}, "projection"),
        ({"projection": "mono", "width": 640, "height": 360}, "height"),
        ({"projection": "stereo", "width": 640, "height": 320}, "height"),
        ({"projection": "mono", "width": 640, "height": 320, "background": "transparent"}, "background"),
    ],
)
def test_a_picture_of_all_directions_has_its_shape_and_something_behind(
    changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidConfigError) as refused:
        replace(CARD, **changes).check()
    assert list(refused.value.details) == [field]


def test_the_usual_view_is_not_named_in_a_plan() -> None:
    assert spell_view(CARD) == {}
    assert spell_view(replace(CARD, projection="mono")) == {"projection": "mono"}


def test_an_unknown_name_is_refused_with_the_field_and_the_choices() -> None:
    with pytest.raises(InvalidInputError, match="flat-1080p-square") as refused:
        get_format("cinema")
    assert list(refused.value.details) == ["outputFormat"]
    with pytest.raises(InvalidInputError, match="draft, standard, high"):
        get_quality("best")


@pytest.mark.parametrize(
    ("value", "rate"),
    [
        (24, Fraction(24)),
        ("30/1", Fraction(30)),
        ("30000/1001", Fraction(30000, 1001)),
        ("59.94", Fraction(60000, 1001)),
    ],
)
def test_a_rate_is_read_however_it_is_spelled(value: str | int, rate: Fraction) -> None:
    assert parse_fps(value) == rate


@pytest.mark.parametrize("value", ["29.9", "0", "1/0", "", "fast", 31])
def test_a_rate_that_is_not_offered_is_refused(value: str | int) -> None:
    with pytest.raises(InvalidInputError, match="fps"):
        parse_fps(value)


@pytest.mark.parametrize(
    ("duration", "fps", "frames"),
    [
        (Fraction(10), Fraction(24), 240),
        (Fraction(48_001, 48_000), Fraction(30), 30),  # 0.0006 of a frame too much
        (Fraction(10_001, 1000), Fraction(24), 241),  # 0.024 of a frame more is the tail of the sound
        (Fraction(9_999_999, 1_000_000), Fraction(24), 240),
        (Fraction(1001, 1000), Fraction(30000, 1001), 30),
        (Fraction(1, 48_000), Fraction(24), 1),
    ],
)
def test_the_frames_cover_the_sound_and_no_more(duration: Fraction, fps: Fraction, frames: int) -> None:
    assert frame_count_for(duration, fps) == frames


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("width", 641), ("width", 14), ("height", 8194), ("fps", Fraction(31)), ("seed", -1),
        ("parameters", {"glow": float("nan")}),
    ],
)  # fmt: skip
def test_what_cannot_be_drawn_is_refused_by_field(field: str, value: object) -> None:
    with pytest.raises(InvalidConfigError) as refused:
        replace(CARD, **{field: value}).check()  # type: ignore[arg-type]

    assert list(refused.value.details) == [field]
