"""What a picture is asked for with, shared by the commands that plan one, and the plan request it becomes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import click

from ethereal.audio.canonical import make_canonical
from ethereal.audio.features import make_features, save_features
from ethereal.cli.container import choose_container, codec_option, container_option, transparent_option
from ethereal.errors import InvalidInputError
from ethereal.render.composition import Background, Composition, frame_count_for
from ethereal.render.containers import choose_codec, get_container
from ethereal.render.formats import get_format, get_quality, parse_fps
from ethereal.render.plan import PlanRequest
from ethereal.scenes.templates import get_template

Command = TypeVar("Command", bound=Callable[..., None])

#: Hears how much of the listening is done, 0 to 1.
Listening: TypeAlias = Callable[[float], None]

_DECODING_SHARE = 1 / 3  # of the time that listening takes


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """The sound and the picture that were asked for on the command line."""

    audio: Path
    template: str
    output_format: str
    fps: str
    quality: str
    container: str
    codec: str | None
    background: Background
    seed: int
    span: tuple[Fraction, Fraction] | None
    chunks: int | None


def picture_options(command: Command) -> Command:
    """Give `command` the argument and the options that make a `Wanted`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def read_wanted(asked: Mapping[str, Any], output: Path | None = None) -> Wanted:
    """Return what the options ask for, before anything is heard or written.

    Raise InvalidInputError or FormatNotSupportedError for what cannot be made.
    """
    options = dict(asked)
    container = choose_container(options.pop("container"), output)
    background: Background = "transparent" if options.pop("is_transparent") else "scene"
    wanted = Wanted(**options, container=container, background=background)
    get_template(wanted.template)
    get_quality(wanted.quality)
    parse_fps(wanted.fps)
    size = get_format(wanted.output_format)
    choose_codec(get_container(container), wanted.codec, size.width, size.height, background)
    return wanted


def make_plan_request(
    wanted: Wanted, folder: Path, *, longest: Fraction, tell: Listening = lambda fraction: None
) -> PlanRequest:
    """Listen to the sound, at most `longest` seconds of it, and leave in `folder` what the plan needs."""
    template, size = get_template(wanted.template), get_format(wanted.output_format)
    fps = parse_fps(wanted.fps)
    canonical = make_canonical(
        wanted.audio,
        folder / "audio.flac",
        max_duration=longest,
        span=wanted.span,
        beat=lambda fraction: tell(_DECODING_SHARE * fraction),
    )
    count = frame_count_for(canonical.duration, fps)
    features = make_features(
        canonical.path,
        fps=fps,
        frame_count=count,
        beat=lambda fraction: tell(_DECODING_SHARE + (1 - _DECODING_SHARE) * fraction),
    )
    save_features(features, folder)
    composition = Composition(
        template=template.id,
        scene=template.scene,
        width=size.width,
        height=size.height,
        fps=fps,
        seed=wanted.seed,
        parameters=dict(template.parameters),
        background=wanted.background,
    )
    return PlanRequest(
        composition,
        canonical.path,
        folder,
        count,
        wanted.quality,
        wanted.chunks,
        container=wanted.container,
        codec=wanted.codec,
    )


def read_span(text: str | None) -> tuple[Fraction, Fraction] | None:
    """START:END in seconds, each with decimals if need be."""
    if text is None:
        return None
    try:
        start, end = (Fraction(part) for part in text.split(":"))
    except ValueError as error:
        raise InvalidInputError("--range takes START:END in seconds, such as 10:25.5") from error
    if not 0 <= start < end:
        raise InvalidInputError("--range must start before it ends")
    return start, end


_OPTIONS = (
    click.argument("audio", type=click.Path(exists=True, dir_okay=False, path_type=Path)),
    click.option("--template", default="ethereal-flame", show_default=True),
    click.option("--format", "output_format", default="flat-1080p-landscape", show_default=True),
    click.option(
        "--fps", default="30", show_default=True, help="24, 25, 30, 50, 60, 23.976, 29.97 or 59.94."
    ),
    click.option("--quality", default="standard", show_default=True, help="draft, standard or high."),
    container_option,
    codec_option,
    transparent_option,
    click.option(
        "--seed", type=int, default=0, show_default=True, help="Another seed, other sparks and stars."
    ),
    click.option("--range", "span", metavar="START:END", callback=lambda *given: read_span(given[2])),
    click.option("--chunks", type=int, help="Into how many chunks; the file is the same for any number."),
)
