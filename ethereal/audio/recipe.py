"""Edit recipes: which parts of which sources follow each other, and the rules that they must keep."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from pydantic import ValidationError

from ethereal.audio.decode import clock
from ethereal.audio.probe import AudioFacts
from ethereal.errors import InvalidInputError
from ethereal.jobs.request import Clip, EditRecipe

SHORTEST_CLIP = Fraction(1, 10)
LOUDEST = 2.0
MAX_DURATION = Fraction(30 * 60)
# A length that went through a page as a decimal number may come back a little longer than it is.
END_SLACK = Fraction(1, 1000)


def read_recipe(data: object) -> EditRecipe:
    """Take a recipe from outside. Raise InvalidInputError with what is wrong under the id of its clip."""
    try:
        return EditRecipe.model_validate(data)
    except ValidationError as error:
        details: dict[str, list[str]] = {}
        for problem in error.errors():
            where, field = _place(problem["loc"], data)
            details.setdefault(where, []).append(f"{field}: {problem['msg']}" if field else problem["msg"])
        raise _broken(details) from error


def check_recipe(
    recipe: EditRecipe, sources: Mapping[str, AudioFacts], *, max_duration: Fraction = MAX_DURATION
) -> Fraction:
    """Return how long the sound will be, in seconds.

    Raise InvalidInputError with every broken rule under the id of its clip, or under `clips` for all of them.
    """
    details = {clip.id: messages for clip in recipe.clips if (messages := list(_broken_rules(clip, sources)))}
    total = sum((seconds(clip.end_time) - seconds(clip.start_time) for clip in recipe.clips), Fraction(0))
    twice = [name for name, count in Counter(clip.id for clip in recipe.clips).items() if count > 1]
    if not recipe.clips:
        details["clips"] = ["there must be at least one"]
    if twice:
        details["clips"] = [f"the id {name} is used twice" for name in twice]
    if total > max_duration:
        message = f"all clips together are {clock(total)} long; the limit is {clock(max_duration)}"
        details.setdefault("clips", []).append(message)
    if details:
        raise _broken(details)
    return total


def seconds(number: float) -> Fraction:
    """The number as it was written: 0.1 is a tenth."""
    return Fraction(repr(number))


def _broken_rules(clip: Clip, sources: Mapping[str, AudioFacts]) -> Iterator[str]:
    source, end = sources.get(clip.source_asset_id), seconds(clip.end_time)
    if source is None:
        yield f"there is no source {clip.source_asset_id}"
    elif end > source.duration + END_SLACK:
        yield f"it ends at {clock(end)}, after its source, which is {clock(source.duration)} long"
    if not 0 <= clip.volume <= LOUDEST:
        yield f"its volume must be from 0 to {LOUDEST:g}"
    yield from _broken_times(clip)


def _broken_times(clip: Clip) -> Iterator[str]:
    start, end = seconds(clip.start_time), seconds(clip.end_time)
    if start < 0:
        yield "it starts before its source"
    if start >= end:
        yield "it must end after it starts"
    elif end - start < SHORTEST_CLIP:
        yield "it must be at least 0.1 s long"
    if min(clip.fade_in, clip.fade_out) < 0:
        yield "its fades must not be negative"
    elif start < end < start + seconds(clip.fade_in) + seconds(clip.fade_out):
        yield "its fades are longer than it is"


def _place(location: tuple[int | str, ...], data: Any) -> tuple[str, str]:
    """Say where an error belongs: under a clip's id and a field of it, or under the path of the field."""
    if len(location) > 1 and location[0] == "clips" and isinstance(location[1], int):
        clip = data["clips"][location[1]]
        name = clip.get("id") if isinstance(clip, dict) else None
        if isinstance(name, str) and name:
            return name, ".".join(map(str, location[2:]))
    return ".".join(map(str, location)) or "recipe", ""


def _broken(details: Mapping[str, list[str]]) -> InvalidInputError:
    where, messages = next(iter(details.items()))
    return InvalidInputError(f"This recipe cannot be followed: {where}: {messages[0]}.", details)
