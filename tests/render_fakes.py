"""A renderer that draws with numpy, and all that a plan needs around it: small and quick."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from ethereal.audio.features import Features, save_features
from ethereal.render.composition import Composition
from ethereal.render.plan import PlanRequest

WIDTH, HEIGHT, FPS = 160, 96, Fraction(24)
CODE_BITS = 16
FEATURES = ("rms", "loudness", "bass", "onset", "beat")


@dataclass
class NumpyRenderer:
    """Draws a moving gradient, red, green and blue patches and the frame's number in black and white bars.

    `shade` is what another driver would add. It kills its own process before frame `dies_at`; frames before
    `noisy_until` are hard to encode.
    """

    width: int
    height: int
    seed: int
    shade: int = 0
    dies_at: int | None = None
    once: Path | None = None
    noisy_until: int = 0
    gl_renderer: str = "numpy"
    browser_version: str = "0"
    drawn: list[int] = field(default_factory=list)
    is_transparent: bool = False

    def draw(self, frames: Sequence[int]) -> Iterator[memoryview]:
        canvas = np.empty((self.height, self.width, 4), np.uint8)
        for frame in frames:
            if frame == self.dies_at and not (self.once and self.once.exists()):
                if self.once:
                    self.once.touch()
                os.kill(os.getpid(), signal.SIGKILL)
            upright = canvas[::-1]
            upright[:] = draw_picture(self.width, self.height, frame, self.seed) + np.uint8(self.shade)
            if self.is_transparent:
                upright[..., 3] = draw_alpha(self.width, self.height, frame)
            if frame < self.noisy_until:
                upright[..., 1] ^= np.random.default_rng(frame).integers(0, 256, canvas.shape[:2], np.uint8)
            self.drawn.append(frame)
            yield canvas.data.cast("B")


def draw_picture(width: int, height: int, frame: int, seed: int = 0) -> NDArray[np.uint8]:
    y, x = np.mgrid[0:height, 0:width]
    picture = np.empty((height, width, 4), np.uint8)
    picture[..., 0] = (x * 200 // width + 2 * frame + seed) % 240
    picture[..., 1] = y * 220 // height
    picture[..., 2] = np.abs((x + y + 3 * frame) % 256 - 128)
    picture[..., 3] = 255
    bar = width // CODE_BITS
    for bit in range(CODE_BITS):
        picture[: height // 4, bit * bar : (bit + 1) * bar, :3] = 255 * (frame >> bit & 1)
    patch = width // 4
    for channel in range(3):
        picture[-height // 4 :, channel * patch : (channel + 1) * patch, :3] = 255 * np.eye(3)[channel]
    return picture


def draw_alpha(width: int, height: int, frame: int) -> NDArray[np.uint8]:
    """A slope with every value there is, on the move; nothing in the lowest quarter, all in the highest."""
    alpha = np.tile((np.arange(width) * 256 // width + 2 * frame).astype(np.uint8), (height, 1))
    alpha[: height // 4], alpha[-height // 4 :] = 255, 0
    return alpha


def read_number(picture: NDArray[Any]) -> int:
    """The frame number in a decoded picture, shape (height, width, 3)."""
    height, width, _ = picture.shape
    bar = width // CODE_BITS
    middles = picture[height // 8, bar // 2 :: bar, 1][:CODE_BITS]
    return sum(1 << bit for bit, value in enumerate(middles) if value > 127)


@contextmanager
def open_numpy(
    plan_dir: Path,
    *,
    shade: int = 0,
    dies_at: int | None = None,
    once: Path | None = None,
    noisy_until: int = 0,
) -> Iterator[NumpyRenderer]:
    """An OpenRenderer. `once` is a file that appears at the first death and keeps it from happening again."""
    said = json.loads((plan_dir / "composition.json").read_bytes())
    yield NumpyRenderer(
        *(said["width"], said["height"], said["seed"], shade, dies_at, once, noisy_until),
        is_transparent=said.get("background") == "transparent",
    )


def write_features(directory: Path, frame_count: int, fps: Fraction = FPS) -> Path:
    """Features that hit twice a second."""
    directory.mkdir(parents=True, exist_ok=True)
    hits = np.exp(-5 * ((np.arange(frame_count) / float(fps) * 2) % 1)).astype(np.float32)
    values = np.repeat(hits[:, None], len(FEATURES), axis=1)
    save_features(Features(FEATURES, fps, frame_count, values, 120.0, 1.0), directory)
    return directory


def write_flac(path: Path, samples: NDArray[np.float32]) -> Path:
    """Canonical audio of `samples`, shape (n,), on both sides."""
    with av.open(str(path), "w", format="flac") as container:
        stream = container.add_stream("flac", rate=48_000)
        stream.layout = "stereo"
        stream.codec_context.format = "s16"
        packed = np.repeat((samples * 32767).astype("<i2"), 2)[None]
        for start in range(0, packed.shape[1], 8192):
            frame = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(packed[:, start : start + 8192]), "s16", "stereo"
            )
            frame.sample_rate, frame.pts, frame.time_base = 48_000, start // 2, Fraction(1, 48_000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def make_request(
    folder: Path,
    *,
    frame_count: int = 240,
    fps: Fraction = FPS,
    samples: NDArray[np.float32] | None = None,
    chunk_count: int | None = 1,
    quality: str = "draft",
    size: tuple[int, int] = (WIDTH, HEIGHT),
    **composition: int,
) -> PlanRequest:
    """A request with features, and with sound when `samples` are given."""
    folder.mkdir(parents=True, exist_ok=True)
    return PlanRequest(
        composition=Composition(
            "test-card", "testcard", *size, fps, composition.get("seed", 7), {"tint": 0.5}
        ),
        canonical=None if samples is None else write_flac(folder / "canonical.flac", samples),
        features_dir=write_features(folder / "features", frame_count, fps),
        frame_count=frame_count,
        quality=quality,
        chunk_count=chunk_count,
    )
