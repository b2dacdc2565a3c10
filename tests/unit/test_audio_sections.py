"""Pitch classes and section novelty against sounds whose pitches and sections are known."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ethereal.audio import sections
from ethereal.audio.feature_set import CHROMA_NAMES, Features
from ethereal.audio.features import make_features
from tests import rhythms
from tests.rhythms import RATE, write_canonical

Sound = NDArray[np.float64]
NOVELTY = "section_novelty"


def tones(pitches: Sequence[float], seconds: float, gain: float = 0.3) -> Sound:
    time = np.arange(round(seconds * RATE)) / RATE
    return sum((gain * np.sin(2 * np.pi * hz * time) for hz in pitches), np.zeros(len(time)))


def features_of(sound: Sound, folder: Path, fps: int = 20) -> Features:
    canonical = write_canonical(folder / "canonical.flac", sound)
    return make_features(canonical, fps=Fraction(fps), frame_count=int(len(sound) / RATE * fps))


def chroma_of(features: Features) -> dict[str, float]:
    """The pitch classes in the middle of the sound."""
    middle = features.frame_count // 2
    return {name: float(features.column(name)[middle]) for name in CHROMA_NAMES}


@pytest.mark.parametrize(
    ("hz", "name"),
    [
        (110, "chroma_a"),
        (220, "chroma_a"),
        (440, "chroma_a"),
        (1760, "chroma_a"),
        (261.63, "chroma_c"),
        (466.16, "chroma_a_sharp"),
        (987.77, "chroma_b"),
    ],
)
def test_a_tone_lights_its_pitch_class_in_every_octave(hz: float, name: str, tmp_path: Path) -> None:
    chroma = chroma_of(features_of(tones([hz], 2), tmp_path))

    assert chroma.pop(name) > 0.75
    assert max(chroma.values()) < 0.13


def test_a_chord_lights_its_three_pitch_classes_alike(tmp_path: Path) -> None:
    chroma = chroma_of(features_of(tones([220, 277.18, 329.63], 2, 0.1), tmp_path))

    lit = [chroma.pop(f"chroma_{pitch}") for pitch in ("a", "c_sharp", "e")]
    assert lit == pytest.approx([0.3, 0.3, 0.3], abs=0.03)
    assert max(chroma.values()) < 0.06


def test_the_share_of_a_pitch_class_does_not_follow_loudness(tmp_path: Path) -> None:
    loud, soft = (chroma_of(features_of(tones([440], 2, gain), tmp_path)) for gain in (0.5, 0.05))

    assert loud["chroma_a"] == pytest.approx(soft["chroma_a"], abs=0.01)


def test_noise_lights_all_pitch_classes_alike_and_does_not_flicker(tmp_path: Path) -> None:
    features = features_of(rhythms.white_noise().sound[: 5 * RATE], tmp_path)

    chroma = np.stack([features.column(name)[20:80] for name in CHROMA_NAMES])
    assert np.abs(chroma - 1 / 12).max() < 0.04


def test_what_has_no_pitch_in_five_octaves_lights_nothing(tmp_path: Path) -> None:
    chroma = chroma_of(features_of(tones([7000], 2), tmp_path))

    assert not any(chroma.values())


def test_two_halves_meet_where_novelty_is_highest(tmp_path: Path) -> None:
    halves = {
        "another pitch": (tones([220], 17), tones([880], 15)),
        "a pad, then drums": (rhythms.pad(17).sound, rhythms.over_pad(rhythms.rock(120)).sound),
        "loud and soft": (tones([220, 330], 17), tones([220, 330], 15, 0.02)),
    }
    for name, (first, second) in halves.items():
        novelty = features_of(np.concatenate([first, second]), tmp_path).column(NOVELTY)

        assert novelty.argmax() / 20 == pytest.approx(17, abs=0.5), name
        assert novelty.max() > 0.5, name
        assert novelty[: 4 * 20].max() < novelty.max() / 3, name


def test_a_sound_that_stays_the_same_is_never_new(tmp_path: Path) -> None:
    novelty = {
        name: features_of(sound, tmp_path).column(NOVELTY).max()
        for name, sound in {
            "silence": np.zeros(30 * RATE),
            "tone": tones([440], 30),
            "noise": rhythms.white_noise().sound,
            "drums": rhythms.rock(120).sound[: 22 * RATE],
        }.items()
    }

    assert novelty.pop("silence") == 0
    assert novelty.pop("tone") < 0.01
    assert novelty.pop("noise") < 0.01
    assert novelty.pop("drums") < 0.15


def test_the_parts_that_a_piece_is_compared_in_change_no_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = np.concatenate([tones([220], 8), tones([330, 440], 8)])
    whole = features_of(sound, tmp_path).values.tobytes()
    monkeypatch.setattr(sections, "MOMENTS_AT_ONCE", 7)

    assert features_of(sound, tmp_path).values.tobytes() == whole
