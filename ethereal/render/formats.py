"""The output formats, qualities and frame rates that can be asked for, by their public names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, NoReturn, TypeAlias

from ethereal.errors import InvalidInputError

Projection: TypeAlias = Literal["flat", "mono", "stereo"]


@dataclass(frozen=True)
class OutputFormat:
    """A size in pixels and what the picture shows: a flat view, or all directions for one eye or for two."""

    name: str
    width: int
    height: int
    projection: Projection = "flat"


@dataclass(frozen=True)
class Quality:
    """How much work and space a video is worth; what that means for pictures each codec says for itself."""

    name: str
    audio_bit_rate: int


_FORMATS = (
    OutputFormat("draft-360p", 640, 360),
    OutputFormat("draft-720p", 1280, 720),
    OutputFormat("flat-1080p-landscape", 1920, 1080),
    OutputFormat("flat-1080p-portrait", 1080, 1920),
    OutputFormat("flat-1080p-square", 1080, 1080),
    OutputFormat("flat-4k-landscape", 3840, 2160),
    OutputFormat("flat-4k-portrait", 2160, 3840),
    OutputFormat("360-mono-4k", 4096, 2048, "mono"),
    OutputFormat("360-mono-6k", 6144, 3072, "mono"),
    OutputFormat("360-mono-8k", 8192, 4096, "mono"),
    OutputFormat("360-stereo-4k", 3840, 3840, "stereo"),
    OutputFormat("360-stereo-8k", 8192, 8192, "stereo"),
)
_QUALITIES = (
    Quality("draft", 128_000),
    Quality("standard", 192_000),
    Quality("high", 256_000),
)

FORMATS: Mapping[str, OutputFormat] = {format_.name: format_ for format_ in _FORMATS}
QUALITIES: Mapping[str, Quality] = {quality.name: quality for quality in _QUALITIES}
FRAME_RATES: tuple[Fraction, ...] = (
    *(Fraction(rate) for rate in (24, 25, 30, 50, 60)),
    *(Fraction(rate, 1001) for rate in (24_000, 30_000, 60_000)),
)
_NTSC = {"23.976": FRAME_RATES[5], "29.97": FRAME_RATES[6], "59.94": FRAME_RATES[7]}


def get_format(name: str) -> OutputFormat:
    """Return the format called `name`; raise InvalidInputError, naming the choices."""
    found = FORMATS.get(name)
    if found is None:
        _refuse("outputFormat", name, FORMATS)
    return found


def get_quality(name: str) -> Quality:
    """Return the quality called `name`; raise InvalidInputError, naming the choices."""
    found = QUALITIES.get(name)
    if found is None:
        _refuse("quality", name, QUALITIES)
    return found


def parse_fps(value: str | int | Fraction) -> Fraction:
    """Read 30, "30/1", "30000/1001" or "29.97"; raise InvalidInputError, naming the choices."""
    try:
        fps = _NTSC.get(str(value)) or Fraction(value)
    except (ValueError, ZeroDivisionError):
        fps = Fraction(0)
    if fps not in FRAME_RATES:
        _refuse("fps", value, [str(rate) for rate in FRAME_RATES])
    return fps


def spell_fps(fps: Fraction) -> str:
    """Spell a rate as it is written in every file: numerator/denominator."""
    return f"{fps.numerator}/{fps.denominator}"


def _refuse(field: str, value: object, choices: Iterable[str]) -> NoReturn:
    message = f"{value!r} is not one of {', '.join(choices)}"
    raise InvalidInputError(f"{field}: {message}", {field: [message]})
