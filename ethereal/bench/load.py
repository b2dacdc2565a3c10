"""What is measured: a bench scene at a size, over a sound made up for it."""

from __future__ import annotations

import wave
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from ethereal.audio.canonical import make_canonical
from ethereal.audio.features import write_features
from ethereal.render.composition import Composition
from ethereal.render.formats import get_format
from ethereal.render.plan import PlanRequest

FPS = Fraction(30)
QUALITY = "standard"
_RATE = 48_000


@dataclass(frozen=True)
class Load:
    """A bench scene in an output format, so many frames long."""

    scene: str
    output_format: str
    frames: int


SCENES = ("bench_light", "bench_heavy")
#: How many are drawn when nobody says: half a minute or so, of which the start takes two seconds.
FRAMES = {"bench_light": 900, "bench_heavy": 300}
OUTPUT_FORMATS = ("draft-720p", "flat-1080p-landscape")
LARGE_FORMATS = ("flat-4k-landscape",)  # measured when asked for: it takes long


def request_load(
    load: Load,
    sound: Path,
    folder: Path,
    *,
    chunk_count: int | None = None,
    encoder_options: Mapping[str, str] | None = None,
) -> PlanRequest:
    """Listen to `sound` and leave in `folder` what the plan of `load` needs."""
    canonical = make_canonical(sound, folder / "audio.flac")
    write_features(canonical.path, folder, fps=FPS, frame_count=load.frames)
    size = get_format(load.output_format)
    composition = Composition(
        template=load.scene,
        scene=load.scene,
        width=size.width,
        height=size.height,
        fps=FPS,
        seed=1,
        parameters={},
    )
    return PlanRequest(
        composition,
        canonical.path,
        folder,
        load.frames,
        QUALITY,
        chunk_count,
        encoder_options=encoder_options or {},
    )


def make_sound(path: Path, frames: int) -> Path:
    """Write a drum and a chord to `path`, as long as `frames` last."""
    time = np.arange(round(frames / FPS * _RATE)) / _RATE
    drum = 0.5 * np.exp(-12 * (time % 0.5)) * np.sin(2 * np.pi * 60 * (time % 0.5))
    chord = sum(0.08 * np.sin(2 * np.pi * note * time) for note in (220, 277, 330, 440))
    samples = np.repeat((32_767 * (drum + chord)).astype("<i2"), 2)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(_RATE)
        file.writeframes(samples.tobytes())
    return path
