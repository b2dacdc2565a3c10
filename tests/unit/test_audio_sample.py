"""The sample that comes with the product: loud enough, never clipped, and good to draw."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from ethereal.audio.canonical import CanonicalAudio, make_canonical, read_blocks
from ethereal.audio.features import make_features
from ethereal.audio.meter import measure_level
from ethereal.audio.rate import CANONICAL_RATE

SAMPLE = Path(__file__).parents[2] / "samples" / "ethereal-sample.flac"


@pytest.fixture(scope="module")
def canonical(tmp_path_factory: pytest.TempPathFactory) -> CanonicalAudio:
    return make_canonical(SAMPLE, tmp_path_factory.mktemp("sample") / "sample.flac")


def test_the_sample_is_small_and_short(canonical: CanonicalAudio) -> None:
    assert SAMPLE.stat().st_size < 2_500_000
    assert 20 <= canonical.duration <= 30


def test_the_sample_is_mastered(canonical: CanonicalAudio) -> None:
    level = measure_level(read_blocks(canonical.path), CANONICAL_RATE)

    assert level.lufs == pytest.approx(-14, abs=0.5)
    assert level.true_peak < -1


def test_the_sample_moves_the_picture(canonical: CanonicalAudio) -> None:
    features = make_features(canonical.path, fps=Fraction(30), frame_count=int(canonical.duration * 30))

    assert features.tempo == pytest.approx(110, rel=0.01)
    assert features.beat_confidence > 0.9
    loudness = features.column("loudness")
    intro, lift, end = loudness[30:120].mean(), loudness[420:660].mean(), loudness[-10:].mean()
    assert lift - intro > 0.15
    assert end < 0.1
