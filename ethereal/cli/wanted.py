"""What a picture is asked for with, shared by the commands that plan one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

import click

from ethereal.cli.container import choose_container, codec_option, container_option, transparent_option
from ethereal.cli.span import span_option
from ethereal.render.composition import Background
from ethereal.render.containers import choose_codec, get_container
from ethereal.render.formats import get_format, get_quality, parse_fps
from ethereal.scenes.templates import get_template

Command = TypeVar("Command", bound=Callable[..., None])


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
    choose_codec(get_container(container), wanted.codec, size.width, size.height, background, size.projection)
    return wanted


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
    span_option,
    click.option("--chunks", type=int, help="Into how many chunks; the file is the same for any number."),
)
