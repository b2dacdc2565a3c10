"""Which container a command is asked for: by name, or else by how its output is called."""

from __future__ import annotations

from pathlib import Path

import click

from ethereal.errors import FormatNotSupportedError, InvalidInputError

USUAL = "mp4"
#: By the end of a file's name; what `ethereal.render.containers` says too, which costs a second to load.
CONTAINER_OF = {".mp4": "mp4", ".mov": "mov", ".webm": "webm", ".zip": "png-sequence"}

container_option = click.option(
    "--container",
    help="mp4, mov (ProRes), webm (VP9) or png-sequence (a zip); default: what OUTPUT is called, else mp4.",
)
codec_option = click.option(
    "--codec", help="Of mp4: h264, h264-nvenc or hevc; default: hevc from 3840 pixels on."
)
transparent_option = click.option(
    "--transparent",
    "is_transparent",
    is_flag=True,
    help="Nothing behind the light; for mov, webm and png-sequence.",
)


def choose_container(named: str | None, output: Path | None) -> str:
    """Return the container `named`, or else the one that `output` is called.

    Raise InvalidInputError when they contradict each other, FormatNotSupportedError when it is called like
    none of them.
    """
    suffix = output.suffix.lower() if output else ""
    called = CONTAINER_OF.get(suffix)
    if named and called and named != called:
        message = f"{named} is asked for, and {output} is called {called}"
        raise InvalidInputError(f"container: {message}", {"container": [message]})
    if suffix and not (named or called):
        message = f"{suffix[1:]} cannot be rendered in chunks; there is {', '.join(CONTAINER_OF)}"
        raise FormatNotSupportedError(message, {"container": [message]})
    return named or called or USUAL
