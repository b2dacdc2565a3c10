"""The flame, drawn by a real browser from features written on the spot."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from ethereal.render.renderer import Renderer
from ethereal.scenes.templates import load_templates
from tests.flames import kicks, opened, pictures, silence


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
