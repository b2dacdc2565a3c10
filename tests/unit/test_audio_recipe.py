"""Recipes from outside: every broken rule is told at once, under the id of its clip."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ethereal.audio.pieces import make_pieces, preview_key_hash
from ethereal.audio.probe import AudioFacts
from ethereal.audio.recipe import check_recipe, read_recipe
from ethereal.errors import InvalidInputError
from ethereal.jobs.request import EditRecipe, Loudness

SONG, SPEECH, NOWHERE = (str(UUID(int=number)) for number in (1, 2, 3))
DIGESTS = {SONG: "aa" * 32, SPEECH: "bb" * 32}


def facts(duration: float) -> AudioFacts:
    return AudioFacts(Fraction(duration), 44_100, 2, "flac", "flac", None)


SOURCES = {SONG: facts(100), SPEECH: facts(2000)}


def clip(name: str = "a", **fields: Any) -> dict[str, Any]:
    return {"id": name, "sourceAssetId": SONG, "startTime": 1, "endTime": 2} | fields


def recipe(*clips: Mapping[str, Any], **fields: Any) -> dict[str, Any]:
    return {"version": 1, "assetId": SONG, "clips": list(clips or [clip()])} | fields


def problems(data: object, sources: Mapping[str, AudioFacts] = SOURCES) -> dict[str, list[str]]:
    """What is told about a recipe that is refused."""
    with pytest.raises(InvalidInputError, match="This recipe cannot be followed") as refusal:
        check_recipe(read_recipe(data), sources)
    return refusal.value.details


def test_what_is_left_out_has_its_usual_value() -> None:
    read = read_recipe(recipe())

    assert read.clips[0].volume == 1
    assert (read.clips[0].fade_in, read.clips[0].fade_out) == (0, 0)
    assert (read.output_format, read.output_sample_rate) == ("wav", 44_100)
    assert read.wanted_loudness is None
    assert check_recipe(read, SOURCES) == 1


def test_a_recipe_travels_as_camel_case() -> None:
    data = recipe(clip(volume=0.5, fadeIn=0.1), normalize=True, loudness={"truePeak": -2}, outputFormat="aac")

    sent = read_recipe(data).model_dump(mode="json")

    assert sent["clips"][0] == clip(startTime=1.0, endTime=2.0, volume=0.5, fadeIn=0.1, fadeOut=0.0)
    assert sent["loudness"] == {"target": -14.0, "truePeak": -2.0}
    assert read_recipe(sent) == read_recipe(data)


def test_the_length_is_that_of_all_clips_exactly() -> None:
    data = recipe(*(clip(f"{n}", startTime=n / 10, endTime=(n + 1) / 10) for n in range(10, 20)))

    assert check_recipe(read_recipe(data), SOURCES) == 1


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"startTime": -1}, "it starts before its source"),
        ({"startTime": 2}, "it must end after it starts"),
        ({"startTime": 3}, "it must end after it starts"),
        ({"startTime": 1.95}, "it must be at least 0.1 s long"),
        ({"startTime": 99, "endTime": 100.002}, "it ends at 1:40.0, after its source, which is 1:40.0 long"),
        ({"endTime": 1e300}, None),
        ({"volume": 2.01}, "its volume must be from 0 to 2"),
        ({"volume": -0.1}, "its volume must be from 0 to 2"),
        ({"fadeIn": -0.1}, "its fades must not be negative"),
        ({"fadeIn": 0.6, "fadeOut": 0.5}, "its fades are longer than it is"),
        ({"sourceAssetId": NOWHERE}, f"there is no source {NOWHERE}"),
        ({"startTime": "1"}, "startTime: Input should be a valid number"),
        ({"startTime": True}, "startTime: Input should be a valid number"),
        ({"endTime": float("nan")}, "endTime: Input should be a finite number"),
        ({"volume": None}, "volume: Input should be a valid number"),
        ({"sourceAssetId": "../../etc"}, None),
        ({"reverb": 1}, "reverb: Extra inputs are not permitted"),
    ],
)
def test_a_broken_rule_is_told_under_the_clips_id(fields: dict[str, Any], told: str | None) -> None:
    details = problems(recipe(clip("fine"), clip("broken", **fields)))

    assert next(iter(details)) == "broken"
    assert told is None or details["broken"] == [told]


@pytest.mark.parametrize(
    "fields",
    [
        {"startTime": 0, "endTime": 100.0009},  # a length that was rounded up on its way
        {"startTime": 0, "endTime": 0.1},
        {"fadeIn": 0.5, "fadeOut": 0.5},
        {"volume": 0},
        {"volume": 2},
    ],
)
def test_what_just_fits_is_fine(fields: dict[str, Any]) -> None:
    assert check_recipe(read_recipe(recipe(clip(**fields))), SOURCES) > 0


def test_all_broken_rules_are_told_at_once() -> None:
    details = problems(recipe(clip("a", startTime=-1, volume=9), clip("b"), clip("c", endTime=0)))

    assert {name: len(messages) for name, messages in details.items()} == {"a": 2, "c": 1}


@pytest.mark.parametrize(
    ("data", "where"),
    [
        (recipe(clips=[]), "clips"),
        (recipe(*(clip(f"{n}") for n in range(51))), "clips"),
        (recipe(clips={"0": clip()}), "clips"),
        (recipe(clip("a"), clip("a")), "clips"),
        (recipe(clip("a", sourceAssetId=SPEECH, startTime=0, endTime=1800), clip("b")), "clips"),
        (recipe(clip("")), "clips.0.id"),
        (recipe(["a"]), "clips.0"),
        (recipe(clip(7)), "clips.0.id"),
        (recipe(version=2), "version"),
        (recipe(assetId="x"), "assetId"),
        (recipe(outputSampleRate=96_000), "outputSampleRate"),
        (recipe(outputFormat="mp3"), "outputFormat"),
        (recipe(loudness={"target": 3}), "loudness.target"),
        (recipe(normalize="yes"), "normalize"),
        (recipe(extra=1), "extra"),
        ([], "recipe"),
        (None, "recipe"),
    ],
)
def test_what_is_wrong_with_the_whole_is_told_under_its_field(data: object, where: str) -> None:
    assert list(problems(data)) == [where]


def test_loudness_counts_only_when_it_is_switched_on() -> None:
    quiet = {"target": -23.0}

    assert read_recipe(recipe(loudness=quiet)).wanted_loudness is None
    assert read_recipe(recipe(normalize=True)).wanted_loudness == Loudness(target=-14, true_peak=-1)
    assert read_recipe(recipe(normalize=True, loudness=quiet)).wanted_loudness == Loudness(target=-23)


times = st.floats(0, 100, allow_nan=False).map(lambda time: round(time, 3))


@st.composite
def good_clips(draw: st.DrawFn) -> dict[str, Any]:
    start, length = draw(st.floats(0, 90)), draw(st.floats(0.2, 9))
    return clip(
        draw(st.uuids()).hex,
        startTime=start,
        endTime=start + length,
        volume=draw(st.floats(0, 2)),
        fadeIn=draw(st.floats(0, 0.4)) * length,
        fadeOut=draw(st.floats(0, 0.4)) * length,
    )


@settings(max_examples=40, deadline=None)
@given(st.lists(good_clips(), min_size=1, max_size=50))
def test_good_recipes_pass_and_their_samples_add_up(clips: list[dict[str, Any]]) -> None:
    read = read_recipe(recipe(*clips))

    total = check_recipe(read, SOURCES)
    pieces = make_pieces(read)

    assert abs(sum(map(len, pieces)) - total * 44_100) <= len(clips)
    assert [piece.start for piece in pieces[1:]] == [piece.start + len(piece) for piece in pieces[:-1]]


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=60, deadline=None)
@given(json_values, st.sampled_from(sorted([*recipe(), *clip()])), st.booleans())
def test_whatever_stands_in_a_field_is_followed_or_refused(value: object, field: str, inside: bool) -> None:
    data = recipe(clip(**{field: value})) if inside else recipe(**{field: value})
    try:
        check_recipe(read_recipe(data), SOURCES)
    except InvalidInputError as refusal:
        assert refusal.details  # noqa: PT017


def sound_of(*clips: Mapping[str, Any], digests: Mapping[str, str] = DIGESTS, **fields: Any) -> str:
    return preview_key_hash(read_recipe(recipe(*clips, **fields)), digests)


def test_a_preview_is_named_by_what_is_heard() -> None:
    name = sound_of(clip("a"), clip("b", sourceAssetId=SPEECH))

    assert len(name) == 16
    assert name == sound_of(clip("other"), clip("names", sourceAssetId=SPEECH), assetId=SPEECH)
    assert name == sound_of(clip(volume=1.0, fadeIn=0), clip("b", sourceAssetId=SPEECH), outputFormat="aac")
    assert name == sound_of(clip("a"), clip("b", sourceAssetId=SPEECH), loudness={"target": -20})
    copies = {SONG: DIGESTS[SPEECH], SPEECH: DIGESTS[SONG]}
    assert name == sound_of(clip("a", sourceAssetId=SPEECH), clip("b"), digests=copies)


@pytest.mark.parametrize(
    "changed",
    [
        {"clip": {"endTime": 2.001}},
        {"clip": {"volume": 0.9}},
        {"clip": {"fadeOut": 0.1}},
        {"recipe": {"normalize": True}},
        {"recipe": {"normalize": True, "loudness": {"target": -20}}},
        {"recipe": {"outputSampleRate": 48_000}},
        {"digests": DIGESTS | {SONG: "cc" * 32}},
    ],
)
def test_whatever_is_heard_changes_the_name(changed: dict[str, Any]) -> None:
    other = sound_of(
        clip(**changed.get("clip", {})), digests=changed.get("digests", DIGESTS), **changed.get("recipe", {})
    )

    assert other != sound_of(clip())


def test_the_order_of_clips_is_heard() -> None:
    first, second = clip("a"), clip("b", startTime=5, endTime=6)

    assert sound_of(first, second) != sound_of(second, first)


def test_a_time_is_the_number_that_was_written() -> None:
    read: EditRecipe = read_recipe(recipe(clip(startTime=0.1, endTime=0.3), outputSampleRate=48_000))

    assert check_recipe(read, SOURCES) == Fraction(1, 5)
    assert [(piece.first, piece.last) for piece in make_pieces(read)] == [(4800, 14_400)]
