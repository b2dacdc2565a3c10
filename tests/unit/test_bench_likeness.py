"""What the bench says of two videos of one scene, of rounds of times, and of what encoders were told."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from ethereal.bench.likeness import Likeness, check_likeness, compare_videos, look_at
from ethereal.bench.rounds import Ratio, ratio_of_rounds, turns
from ethereal.bench.x264 import ask_x264, change_parameters, told_differently
from ethereal.errors import RenderError
from ethereal.render.composition import Composition
from ethereal.render.encoder_settings import encoder_document, read_settings
from ethereal.render.formats import get_quality
from tests.render_fakes import draw_picture

CARD = Composition("card", "testcard", 160, 96, Fraction(30), 1, {})


def pictures(frames: Iterable[int]) -> list[NDArray[np.uint8]]:
    return [draw_picture(160, 96, frame)[..., :3].copy() for frame in frames]


def write_video(path: Path, shown: Iterable[NDArray[np.uint8]], *, full_range: bool = False) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", 30, options={"crf": "10", "bf": "0"})
        stream.width, stream.height, stream.pix_fmt = 160, 96, "yuv420p"
        for picture in shown:
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            container.mux(stream.encode(frame.reformat(format="yuv420p", dst_color_range=1 + full_range)))
        container.mux(stream.encode(None))
    return path


def test_the_same_video_is_alike_in_step_and_without_drift(tmp_path: Path) -> None:
    video = write_video(tmp_path / "one.mp4", pictures(range(8)))

    like, shown = compare_videos(video, video), look_at(video)

    assert (like.median, like.lowest, like.offsets) == (100.0, 100.0, (0.0, 0.0, 0.0))
    assert like.luma_slope == pytest.approx(1.0, abs=1e-3)
    assert (shown.frames, shown.width, shown.height, shown.fps) == (8, 160, 96, "30")
    assert shown.kinds == {"I": 1, "P": 7}
    check_likeness(like, least=30)


def test_a_video_that_runs_a_frame_late_is_out_of_step(tmp_path: Path) -> None:
    one = write_video(tmp_path / "one.mp4", pictures(range(8)))
    late = write_video(tmp_path / "late.mp4", pictures([0, *range(7)]))

    like = compare_videos(one, late)

    assert like.off_by_one > like.median
    with pytest.raises(RenderError, match="out of step"):
        check_likeness(like, least=0)


def test_another_range_shows_in_the_slope_of_luma(tmp_path: Path) -> None:
    limited = write_video(tmp_path / "limited.mp4", pictures(range(4)))
    full = write_video(tmp_path / "full.mp4", pictures(range(4)), full_range=True)

    assert compare_videos(limited, full).luma_slope == pytest.approx(255 / 219, abs=0.02)


def test_one_frame_that_is_not_like_its_peer_is_enough(tmp_path: Path) -> None:
    shown = pictures(range(8))
    one = write_video(tmp_path / "one.mp4", shown)
    other = write_video(tmp_path / "other.mp4", [*shown[:5], 255 - shown[5], *shown[6:]])

    like = compare_videos(one, other)

    assert like.lowest_frame == 5
    with pytest.raises(RenderError, match="frame 5 differs"):
        check_likeness(like, least=30)


def test_a_video_that_lacks_a_frame_is_not_compared(tmp_path: Path) -> None:
    one = write_video(tmp_path / "one.mp4", pictures(range(8)))
    short = write_video(tmp_path / "short.mp4", pictures(range(7)))

    with pytest.raises(RenderError, match="not alike"):
        compare_videos(one, short)


def test_pictures_that_are_alike_in_step_pass() -> None:
    check_likeness(Likeness(45.0, 40.0, 3, 33.0, (0.0, 0.0, 0.0), 1.0), least=30)


def test_the_ratio_is_of_each_round_and_the_order_turns() -> None:
    assert ratio_of_rounds([20.0, 90.0, 30.0], [10.0, 30.0, 10.0]) == Ratio(3.0, 2.0, 3.0)
    assert [*map(list, (turns("ab", 0), turns("ab", 1)))] == [["a", "b"], ["b", "a"]]


def test_x264_itself_says_what_it_was_told() -> None:
    document = encoder_document(CARD, get_quality("standard"))
    usual = read_settings(document).options
    asked = {**change_parameters(usual, {"bframes": 0, "ref": 2}), "crf": "16"}

    said = ask_x264(read_settings({**document, "options": asked}))

    assert (said["crf"], said["bframes"], said["ref"], said["scenecut"]) == ("16.0", "0", "2", "0")
    assert {"crf", "bframes", "ref"} <= set(told_differently(said, ask_x264(read_settings(document))))
