"""The flame, opened in a real browser from features written on the spot."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ethereal.render.capture import open_chromium_renderer
from ethereal.render.pixels import pixels_of
from ethereal.render.renderer import Renderer
from ethereal.scenes import scene_files
from ethereal.scenes.reach import Reach, load_reach
from ethereal.scenes.templates import get_template

WIDTH, HEIGHT, SECONDS = 160, 90, 4
NAMES = ("loudness", "sub", "bass", "brilliance", "onset", "onset_bass", "beat")
Sound = Callable[[float], Sequence[float]]


def silence(time: float) -> Sequence[float]:
    return [0.0] * len(NAMES)


def kicks(time: float) -> Sequence[float]:
    """A kick each half second from the first second on."""
    age = time % 0.5
    struck = float(time >= 1) * 0.5 ** (age / 0.1)
    return [
        0.4 + 0.4 * struck,
        struck,
        struck,
        0.5 * struck,
        float(struck > 0.7),
        float(struck > 0.7),
        struck,
    ]


def reach_of(scene: str, fps: Fraction) -> Reach:
    reach = load_reach(scene, fps)
    assert reach is not None
    return reach


def write_flame(
    directory: Path,
    sound: Sound,
    *,
    template: str = "ethereal-flame",
    fps: int = 30,
    size: tuple[int, int] = (WIDTH, HEIGHT),
    projection: str = "flat",
) -> Path:
    frame_count, (width, height) = SECONDS * fps, size
    composition = {
        "scene": "flame", "width": width, "height": height, "fps": f"{fps}/1", "frameCount": frame_count,
        "seed": 7, "parameters": dict(get_template(template).parameters), "projection": projection,
        "reach": asdict(reach_of("flame", Fraction(fps))),
    }  # fmt: skip
    features = {"version": 1, "names": NAMES, "fps": f"{fps}/1", "frameCount": frame_count}
    for place, file in scene_files("flame").items():
        (directory / "composition" / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, directory / "composition" / place)
    rows = np.array([sound(frame / fps) for frame in range(frame_count)], dtype="<f4")
    (directory / "features.f32").write_bytes(rows.tobytes())
    (directory / "features.json").write_text(json.dumps({**features, "tempo": 120, "beatConfidence": 1}))
    (directory / "composition.json").write_text(json.dumps(composition))
    return directory


@contextmanager
def opened(
    folder: Path,
    sound: Sound,
    *,
    template: str = "ethereal-flame",
    fps: int = 30,
    size: tuple[int, int] = (WIDTH, HEIGHT),
    projection: str = "flat",
) -> Iterator[Renderer]:
    written = write_flame(folder, sound, template=template, fps=fps, size=size, projection=projection)
    with open_chromium_renderer(written) as renderer:
        yield renderer


def pictures(
    renderer: Renderer, frames: Sequence[int], size: tuple[int, int] = (WIDTH, HEIGHT)
) -> list[NDArray[np.float64]]:
    width, height = size
    return [pixels_of(pixels, width, height).astype(np.float64) for pixels in renderer.draw(frames)]
