"""What x264 says that it was told: it writes that into its first coded picture."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ethereal.errors import RenderError
from ethereal.render.encode import EncoderSettings, encode_gop
from ethereal.render.encoders.codec import join_parameters

_SAID = re.compile(rb"x264 - core (\d+)[^\x00]*? - options: ([^\x00]+?)(?:\x00|\x80)")


def read_x264(coded: bytes) -> Mapping[str, str]:
    """Return core and options, by x264's own names, as coded pictures say; raise RenderError if none."""
    said = _SAID.search(coded)
    if said is None:
        raise RenderError("x264 left no word of its options")
    words = (word.partition("=") for word in said[2].decode("ascii").split(" "))
    return {"core": said[1].decode("ascii"), **{name: value for name, _, value in words}}


def ask_x264(settings: EncoderSettings) -> Mapping[str, str]:
    """Return what an encoder of `settings` says, of which our videos are rid."""
    black = np.zeros((settings.height, settings.width, 4), np.uint8)
    gop = encode_gop([black], replace(settings, packet_filter=""))
    return read_x264(gop.header + gop.packets[0].data)


def told_differently(one: Mapping[str, str], other: Mapping[str, str]) -> Mapping[str, tuple[str, str]]:
    """The options in which two encoders differ."""
    names = sorted({*one, *other})
    return {
        name: (one.get(name, ""), other.get(name, "")) for name in names if one.get(name) != other.get(name)
    }


def change_parameters(options: Mapping[str, str], parameters: Mapping[str, object]) -> Mapping[str, str]:
    """Return FFmpeg's options of libx264 with some of the `x264-params` among them changed."""
    told = dict(part.split("=", 1) for part in options["x264-params"].split(":"))
    return {**options, "x264-params": join_parameters({**told, **parameters})}
