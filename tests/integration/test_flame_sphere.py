"""Pictures of all directions: whole all around, quiet at the poles, and seen by two eyes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ethereal.errors import SceneFailedError
from ethereal.render.capture import open_chromium_renderer
from ethereal.scenes.templates import load_templates
from tests.cards import write_card
from tests.flames import kicks, opened, pictures

MONO, STEREO = (512, 256), (512, 512)
FRAME = 93
GRAIN = 1.0  # of 255, in each pixel
Picture = NDArray[np.float64]


def draw(folder: Path, projection: str, template: str = "ethereal-flame") -> Picture:
    size = STEREO if projection == "stereo" else MONO
    with opened(folder, kicks, template=template, size=size, projection=projection) as renderer:
        (picture,) = pictures(renderer, [FRAME], size)
    return picture


def columns_apart(picture: Picture) -> Picture:
    """How far each column is from the next one to the right, the last from the first."""
    blurred = (
        sum(np.roll(picture[..., :3], rows, axis=0) for rows in range(-2, 3)) / 5
    )  # the grain is not meant
    apart: Picture = np.abs(blurred - np.roll(blurred, -1, axis=1)).mean(axis=(0, 2))
    return apart


def middle_of(light: Picture) -> float:
    """The column where the flame is: that of all that is brighter than the sky, weighed."""
    columns = np.clip(light - 100, 0, None).sum(axis=0)
    return float((columns * np.arange(len(columns))).sum() / columns.sum())


@pytest.fixture(scope="module")
def mono(tmp_path_factory: pytest.TempPathFactory) -> Picture:
    return draw(tmp_path_factory.mktemp("mono"), "mono")


@pytest.mark.parametrize("template", load_templates())
def test_no_seam_shows_where_the_picture_closes(template: str, tmp_path: Path) -> None:
    apart = columns_apart(draw(tmp_path, "mono", template))

    assert apart[-1] < 1.5 * np.median(apart) + 0.5


def test_a_picture_that_does_not_close_would_be_found(mono: Picture) -> None:
    apart = columns_apart(mono[:, 40:-60])

    assert apart[-1] > 1.5 * np.median(apart) + 0.5


@pytest.mark.parametrize("row", [0, -1])
def test_a_pole_is_one_place(mono: Picture, row: int) -> None:
    """All of the outermost row is seen within a third of a degree."""
    assert mono[row, :, :3].std(axis=0).max() < 2 * GRAIN


def test_the_flame_is_ahead_and_the_sky_all_around(mono: Picture) -> None:
    ahead, behind = mono[:, 192:320, :3], np.roll(mono, 256, axis=1)[:, 192:320, :3]

    assert ahead[..., 0].mean() > 2 * behind[..., 0].mean()
    assert behind.max() > 20
    assert abs(middle_of(mono[..., 0]) - 255.5) < 10


def test_a_frame_of_all_directions_is_the_same_whatever_was_drawn_before_it(
    mono: Picture, tmp_path: Path
) -> None:
    with opened(tmp_path, kicks, size=MONO, projection="mono") as renderer:
        *_, again = pictures(renderer, [110, 3, FRAME], MONO)

    assert (again == mono).all()


def test_the_left_eye_is_on_top_and_sees_what_is_near_further_to_the_right(tmp_path: Path) -> None:
    picture = draw(tmp_path, "stereo")
    left, right = picture[:256, :, 0], picture[256:, :, 0]
    away = 2 * np.degrees(np.arcsin(0.032 / 2.5)) / 360 * 512  # pixels between the eyes, the flame at 2.5 m

    assert middle_of(left[:160]) - middle_of(right[:160]) == pytest.approx(away, abs=0.6)


def test_what_is_far_is_where_it_is_for_both_eyes(tmp_path: Path, mono: Picture) -> None:
    picture = draw(tmp_path, "stereo")
    behind = [np.roll(half, 256, axis=1)[:120, 192:320, :3] for half in (picture[:256], picture[256:], mono)]

    assert np.abs(behind[0] - behind[1]).mean() < GRAIN
    assert np.abs(behind[0] - behind[2]).mean() < GRAIN


def test_a_scene_that_shows_one_direction_is_refused(tmp_path: Path) -> None:
    card = write_card(tmp_path, 128, 64) / "composition.json"
    card.write_text(json.dumps({**json.loads(card.read_text()), "projection": "mono"}))

    with pytest.raises(SceneFailedError, match="no mono sphere"), open_chromium_renderer(tmp_path):
        pass
