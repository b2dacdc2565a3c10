from __future__ import annotations

from pathlib import Path

import pytest

from ethereal.bench.guesses import FrameTimes, load_guesses, replay
from ethereal.pipeline.eta import eta_errors
from ethereal.render.local import LocalProgress


def test_frames_that_come_evenly_are_guessed_right_but_for_the_end() -> None:
    told = [(second, 10 * second) for second in range(1, 11)]
    guesses = replay([(float(at), drawn) for at, drawn in told], 100, 10.15)

    assert [guess.at for guess in guesses] == [25, 50, 75]
    assert [guess.predicted for guess in guesses] == pytest.approx([7.15, 5.15, 2.15])
    assert eta_errors(guesses) == pytest.approx([0, 0, 0], abs=1e-9)


def test_frames_that_slow_down_are_guessed_too_soon() -> None:
    (first, *_) = replay([(1.0, 50), (9.0, 100)], 100, 9.0)
    assert first.predicted == pytest.approx(1.03)
    assert eta_errors([first]) == pytest.approx([6.97 / 8])


def test_a_render_leaves_its_guesses_beside_the_video(tmp_path: Path) -> None:
    times = FrameTimes(100)
    times(LocalProgress("planning", 1.0, 0, 100))
    for drawn in (0, 30, 60, 90, 100):
        times(LocalProgress("drawing", drawn / 100, drawn, 100))
    times.save(tmp_path / "etas.json")

    assert [guess.at for guess in load_guesses(tmp_path / "etas.json")] == [25, 50, 75]
