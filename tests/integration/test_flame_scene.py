"""The flame, drawn by a real browser from features written on the spot."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ethereal.render.capture import open_chromium_renderer
from ethereal.render.renderer import Renderer
from ethereal.scenes import scene_files
from ethereal.scenes.reach import Reach, load_reach
from ethereal.scenes.templates import get_template, load_templates

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


def write_flame(directory: Path, sound: Sound, *, template: str = "ethereal-flame", fps: int = 30) -> Path:
    frame_count = SECONDS * fps
    composition = {
        "scene": "flame", "width": WIDTH, "height": HEIGHT, "fps": f"{fps}/1", "frameCount": frame_count,
        "seed": 7, "parameters": dict(get_template(template).parameters),
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
    folder: Path, sound: Sound, *, template: str = "ethereal-flame", fps: int = 30
) -> Iterator[Renderer]:
    with open_chromium_renderer(write_flame(folder, sound, template=template, fps=fps)) as renderer:
        yield renderer


def pictures(renderer: Renderer, frames: Sequence[int]) -> list[NDArray[np.float64]]:
    return [
        np.frombuffer(pixels, np.uint8).reshape(HEIGHT, WIDTH, 4).astype(np.float64)
        for pixels in renderer.draw(frames)
    ]


def digests(renderer: Renderer, frames: Sequence[int]) -> list[str]:
    return [hashlib.sha256(pixels).hexdigest() for pixels in renderer.draw(frames)]


def test_a_frame_is_the_same_whatever_was_drawn_before_it_and_wherever(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with opened(tmp_path / "a", kicks) as renderer:
        forwards = digests(renderer, [20, 45, 46, 110])
    with opened(tmp_path / "b", kicks) as renderer:
        backwards = digests(renderer, [110, 3, 46, 45, 20])

    assert forwards == [backwards[index] for index in (4, 3, 2, 0)]


def test_silence_is_a_small_flame_that_breathes(tmp_path: Path) -> None:
    with opened(tmp_path, silence) as renderer:
        early, late = pictures(renderer, [0, 90])

    assert early[..., :3].max() > 120
    assert 2 < early[..., :3].mean() < 40
    assert 0.2 < np.abs(late - early).mean() < 10


def test_a_kick_swells_the_flame_and_throws_sparks(tmp_path: Path) -> None:
    with opened(tmp_path, kicks) as renderer:
        before, struck = pictures(renderer, [26, 93])

    assert struck[..., :3].mean() > 1.3 * before[..., :3].mean()


def test_the_same_second_looks_the_same_at_24_and_at_60_frames(tmp_path: Path) -> None:
    seen = []
    for fps in (24, 60):
        (tmp_path / str(fps)).mkdir()
        with opened(tmp_path / str(fps), kicks, fps=fps) as renderer:
            seen += pictures(renderer, [fps * 3])

    assert np.abs(seen[0] - seen[1]).mean() < 2.5


@pytest.mark.parametrize("template", load_templates())
def test_every_template_is_lit_opaque_moving_and_not_burnt_out(tmp_path: Path, template: str) -> None:
    with opened(tmp_path, kicks, template=template) as renderer:
        first, second = pictures(renderer, [75, 105])

    assert (second[..., 3] == 255).all()
    assert second[..., :3].max() > 100
    assert (second[..., :3].min(axis=2) > 250).mean() < 0.01
    assert np.abs(second - first).mean() > 0.5
