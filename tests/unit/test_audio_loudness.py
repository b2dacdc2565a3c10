"""Loudness and true peak against the test signals of EBU Tech 3341."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ethereal.audio.loudness import SILENT, measure_loudness
from tests.rhythms import RATE, white_noise, write_canonical


def tone(seconds: float, dbfs: float, hz: float = 1000) -> NDArray[np.float64]:
    return 10 ** (dbfs / 20) * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE)) / RATE)


@pytest.mark.parametrize("level", [-23.0, -33.0])
def test_a_stereo_tone_is_as_loud_as_its_level(level: float, tmp_path: Path) -> None:
    measured = measure_loudness(write_canonical(tmp_path / "tone.flac", tone(20, level)))

    assert measured.integrated == pytest.approx(level, abs=0.1)
    assert measured.true_peak == pytest.approx(level, abs=0.2)


def test_a_tone_on_one_side_is_3_db_softer(tmp_path: Path) -> None:
    sides = np.column_stack([tone(10, -20), np.zeros(10 * RATE)])

    assert measure_loudness(write_canonical(tmp_path / "t.flac", sides)).integrated == pytest.approx(
        -23.01, abs=0.1
    )


def test_quiet_passages_are_left_out(tmp_path: Path) -> None:
    sound = np.concatenate([tone(10, -36), tone(60, -23), tone(10, -36)])

    assert measure_loudness(write_canonical(tmp_path / "t.flac", sound)).integrated == pytest.approx(
        -23, abs=0.1
    )


def test_a_peak_between_samples_is_seen(tmp_path: Path) -> None:
    between = 0.5 * np.sin(2 * np.pi * RATE / 4 * np.arange(RATE) / RATE + np.pi / 4)

    measured = measure_loudness(write_canonical(tmp_path / "t.flac", between))

    assert np.abs(between).max() == pytest.approx(0.3536, abs=0.001)
    assert measured.true_peak == pytest.approx(-6.02, abs=0.3)


def test_silence_has_no_loudness(tmp_path: Path) -> None:
    measured = measure_loudness(write_canonical(tmp_path / "t.flac", np.zeros(RATE)))

    assert measured.integrated == SILENT
    assert measured.true_peak == SILENT


def test_louder_noise_is_louder_by_as_much(tmp_path: Path) -> None:
    loud, soft = (
        measure_loudness(write_canonical(tmp_path / "t.flac", white_noise(level).sound)).integrated
        for level in (0.2, 0.02)
    )

    assert loud - soft == pytest.approx(20, abs=0.05)
