"""The containers that can be asked for, and what each holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ethereal.errors import FormatNotSupportedError, InvalidInputError
from ethereal.render.composition import Background
from ethereal.render.encoders.choice import CODECS
from ethereal.render.encoders.codec import Codec
from ethereal.render.formats import Projection
from ethereal.render.sounds import AAC, OPUS, PCM_MOV, PCM_WAV, Sound

_LARGE = 3840  # from this width or height on HEVC is worth its work


@dataclass(frozen=True)
class Container:
    """The first of `codecs` is for small pictures, the last for large ones."""

    name: str
    extension: str
    media_type: str
    codecs: tuple[str, ...]
    sound: Sound


_CONTAINERS = (
    Container("mp4", "mp4", "video/mp4", ("h264", "h264-nvenc", "hevc"), AAC),
    Container("mov", "mov", "video/quicktime", ("prores",), PCM_MOV),
    Container("webm", "webm", "video/webm", ("vp9",), OPUS),
    Container("png-sequence", "zip", "application/zip", ("png",), PCM_WAV),
)

CONTAINERS: Mapping[str, Container] = {container.name: container for container in _CONTAINERS}


def get_container(name: str) -> Container:
    """Return the container called `name`; raise FormatNotSupportedError, naming the choices."""
    found = CONTAINERS.get(name)
    if found is None:
        message = f"{name!r} cannot be rendered in chunks; there is {', '.join(CONTAINERS)}"
        raise FormatNotSupportedError(message, {"container": [message]})
    return found


def choose_codec(
    container: Container,
    wanted: str | None,
    width: int,
    height: int,
    background: Background = "scene",
    projection: Projection = "flat",
) -> Codec:
    """Return the codec for pictures of that size, background and projection.

    Raise InvalidInputError for a wanted one that the container does not hold, for a transparent background
    that it cannot keep, or for a projection that it cannot tell players of; FormatNotSupportedError for a
    codec that is nowhere, as those of HDR.
    """
    name = wanted or container.codecs[-1 if max(width, height) >= _LARGE else 0]
    choices = f"{', '.join(container.codecs)}, which {container.name} holds"
    if name not in CODECS:
        message = f"{name!r} cannot be rendered in chunks; there is {choices}"
        raise FormatNotSupportedError(message, {"codec": [message]})
    if name not in container.codecs:
        message = f"{name!r} is not one of {choices}"
        raise InvalidInputError(f"codec: {message}", {"codec": [message]})
    if background == "transparent" and not CODECS[name].alpha_format:
        message = f"{container.name} cannot be transparent; {', '.join(TRANSPARENT)} can"
        raise InvalidInputError(f"background: {message}", {"background": [message]})
    if projection != "flat":
        _check_sphere(container, background)
    return CODECS[name]


def _check_sphere(container: Container, background: Background) -> None:
    if container.name not in SPHERICAL:
        message = f"{container.name} cannot tell players of 360°; {', '.join(SPHERICAL)} can"
        raise InvalidInputError(f"container: {message}", {"container": [message]})
    if background == "transparent":
        message = "all around there is always something behind: 360° cannot be transparent"
        raise InvalidInputError(f"background: {message}", {"background": [message]})


#: The containers in which all directions can be shown; pictures alone are for people who know what they have.
SPHERICAL = ("mp4", "mov", "png-sequence")

#: The containers that keep a transparent background.
TRANSPARENT = tuple(
    kind.name for kind in _CONTAINERS if all(CODECS[codec].alpha_format for codec in kind.codecs)
)
