"""What the encoders are told, frozen in encoder.json, and the libraries that turn it into bytes."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import av

from ethereal.audio.resample import CANONICAL_RATE
from ethereal.render.chunks import gop_frames_for
from ethereal.render.composition import Composition
from ethereal.render.encode import EncoderSettings
from ethereal.render.formats import Quality, parse_fps, spell_fps

_X264 = {
    "cpu-independent": 1,  # without it AVX2 and SSE2 machines give other bytes (seen)
    "threads": 1,
    "lookahead-threads": 1,
    "rc-lookahead": 20,  # what an encoder still holds when its last frame has come is work for one core
    "scenecut": 0,
    "open-gop": 0,
    "aq-mode": 3,  # spends bits on the dark gradients that band first
    "chromaloc": 1,  # chroma is the mean of its four pixels, so it sits between them
}


def encoder_document(composition: Composition, quality: Quality) -> dict[str, object]:
    """Return what encoder.json says."""
    return {
        "codec": "libx264",
        "options": _video_options(composition.fps, quality),
        "pixelFormat": "yuv420p",
        "colour": "bt709 limited",
        "width": composition.width,
        "height": composition.height,
        "fps": spell_fps(composition.fps),
        "audio": {"codec": "aac", "bitRate": quality.audio_bit_rate, "sampleRate": CANONICAL_RATE},
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
    )


def libraries() -> dict[str, str]:
    """Return the versions of everything that encodes and muxes here, and the kind of machine."""
    versions = {name: ".".join(map(str, version)) for name, version in av.library_versions.items()}
    return {"pyav": av.__version__, "machine": platform.machine(), **versions}


def _video_options(fps: Fraction, quality: Quality) -> dict[str, str]:
    gop_frames = gop_frames_for(fps)
    params = {**_X264, "ref": quality.references, "keyint": gop_frames, "min-keyint": gop_frames}
    return {
        "preset": quality.preset,
        "crf": str(quality.crf),
        "x264-params": ":".join(f"{name}={value}" for name, value in params.items()),
    }
