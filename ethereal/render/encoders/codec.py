"""A codec as the render core knows it: what its encoder is told, and what its coded pictures are like."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

#: Options by FFmpeg's names, from the name of a quality and the frames of a GOP.
MakeOptions: TypeAlias = Callable[[str, int], Mapping[str, str]]

BT709_LIMITED = "bt709 limited"
SRGB_FULL = "srgb full"


@dataclass(frozen=True)
class Codec:
    """`wrapper` is the format that chunks of it are written in, which is always of the MP4 kind.

    `tag` is its four letters there, if not the usual ones; `packet_filter` an FFmpeg bitstream filter;
    `reorder` by how many frames decoding runs ahead of showing, where the encoder itself does not say.
    `alpha_format` takes the place of `pixel_format` where pictures are transparent ("" if they cannot be),
    and `alpha_options` join or replace the others then.
    """

    name: str
    encoder: str
    pixel_format: str
    make_options: MakeOptions
    colour: str = BT709_LIMITED
    wrapper: str = "mp4"
    tag: str = ""
    packet_filter: str = ""
    reorder: int = 0
    is_intra: bool = False
    alpha_format: str = ""
    alpha_options: Mapping[str, str] = field(default_factory=dict)


def join_parameters(parameters: Mapping[str, object]) -> str:
    """Spell parameters as x264 and x265 take them."""
    return ":".join(f"{name}={value}" for name, value in parameters.items())
