"""Drawing alone and encoding alone: each at its best, to be held against the whole."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ethereal.bench.usage import usage_of
from ethereal.render.encode import EncoderSettings
from ethereal.render.gop_encoders import GopTimes, encode_gops
from ethereal.render.pixels import Pixels
from ethereal.render.plan_record import Plan
from ethereal.render.renderer import OpenRenderer, Renderer


@dataclass(frozen=True)
class Part:
    """What drawing or encoding took, start-up left out; CPU in milliseconds for one frame."""

    fps: float
    cpu_ms: float


def draw_alone(plan: Plan, plan_dir: Path, open_renderer: OpenRenderer) -> tuple[Part, list[Pixels]]:
    """Draw all frames and drop them, but for those of the middle GOP, which are returned."""
    kept, pixels = plan.gops[len(plan.gops) // 2], []
    with open_renderer(plan_dir) as renderer:
        _warm_up(renderer)
        with usage_of(os.getpid()) as usage:
            for frame, view in enumerate(renderer.draw(range(plan.frame_count))):
                if frame in kept:
                    pixels.append(np.frombuffer(bytes(view), np.uint8))
    frames = plan.frame_count
    return Part(frames / usage.wall_seconds, 1000 * usage.cpu_seconds / frames), pixels


def encode_alone(plan: Plan, pixels: Sequence[Pixels], *, encoders: int) -> Part:
    """Encode `pixels`, one GOP, over and over until as many frames as the video has are encoded."""
    started, used = time.monotonic(), time.process_time()
    for _ in _encode(plan.gops, pixels, plan.encoder, encoders):
        pass
    wall, cpu = time.monotonic() - started, time.process_time() - used
    return Part(plan.frame_count / wall, 1000 * cpu / plan.frame_count)


def _encode(
    gops: Sequence[range], pixels: Sequence[Pixels], settings: EncoderSettings, encoders: int
) -> Iterator[object]:
    def draw(frames: Sequence[int]) -> Iterator[memoryview]:
        return (pixels[frame % len(pixels)].data for frame in frames)

    return encode_gops(draw, gops, settings, encoders=encoders, beat=lambda drawn: None, times=GopTimes())


def _warm_up(renderer: Renderer) -> None:
    for _ in renderer.draw([0]):
        pass
