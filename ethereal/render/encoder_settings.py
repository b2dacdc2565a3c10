"""What the encoders are told, frozen in encoder.json, and the libraries that turn it into bytes."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from typing import Any

import av

from ethereal.audio.rate import CANONICAL_RATE
from ethereal.render.chunks import gop_frames_for
from ethereal.render.composition import Composition
from ethereal.render.encode import EncoderSettings
from ethereal.render.encoders.codec import Codec
from ethereal.render.encoders.h264 import H264
from ethereal.render.formats import Quality, parse_fps, spell_fps
from ethereal.render.sounds import AAC, Sound


def encoder_document(
    composition: Composition, quality: Quality, codec: Codec = H264, sound: Sound = AAC
) -> dict[str, object]:
    """Return what encoder.json says."""
    options = dict(codec.make_options(quality.name, gop_frames_for(composition.fps)))
    is_transparent = composition.background == "transparent"
    return {
        "codec": codec.encoder,
        "options": options | dict(codec.alpha_options if is_transparent else {}),
        "pixelFormat": codec.alpha_format if is_transparent else codec.pixel_format,
        "colour": codec.colour,
        "width": composition.width,
        "height": composition.height,
        "fps": spell_fps(composition.fps),
        "wrapper": codec.wrapper,
        "tag": codec.tag,
        "packetFilter": codec.packet_filter,
        "reorder": codec.reorder,
        "isIntra": codec.is_intra,
        "audio": {"codec": sound.codec, "bitRate": quality.audio_bit_rate, "sampleRate": CANONICAL_RATE},
        "libraries": libraries(),
    }


def read_settings(document: Mapping[str, Any]) -> EncoderSettings:
    """Read encoder.json."""
    return EncoderSettings(
        codec=document["codec"],
        options=document["options"],
        pixel_format=document["pixelFormat"],
        width=document["width"],
        height=document["height"],
        fps=parse_fps(document["fps"]),
        colour=document["colour"],
        wrapper=document["wrapper"],
        tag=document["tag"],
        packet_filter=document["packetFilter"],
        reorder=document["reorder"],
        is_intra=document["isIntra"],
    )


def libraries() -> dict[str, str]:
    """Return the versions of everything that encodes and muxes here, and the kind of machine."""
    versions = {name: ".".join(map(str, version)) for name, version in av.library_versions.items()}
    return {"pyav": av.__version__, "machine": platform.machine(), **versions}
