"""Onsets and beats against sounds of known truth, and no beats where there are none."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from ethereal.audio.features import Features, make_features
from tests import rhythms
from tests.rhythms import Rhythm, f_measure, write_canonical

STEADY: dict[str, Callable[[], Rhythm]] = {
    **{f"click {tempo}": lambda tempo=tempo: rhythms.click_track(tempo) for tempo in (60, 90, 120, 150, 174)},
    **{f"four on the floor {t}": lambda t=t: rhythms.four_on_the_floor(t) for t in (90, 100, 124, 128, 140)},
    **{f"rock {tempo}": lambda tempo=tempo: rhythms.rock(tempo) for tempo in (80, 110, 160)},
    **{f"three four {tempo}": lambda tempo=tempo: rhythms.waltz(tempo) for tempo in (90, 120, 144, 180)},
    **{f"swing {tempo}": lambda tempo=tempo: rhythms.swing(tempo) for tempo in (100, 120, 150, 180)},
    **{
        f"syncopation {tempo}": lambda tempo=tempo: rhythms.syncopated(tempo) for tempo in (85, 100, 120, 140)
    },
    "sixteenths 105": lambda: rhythms.sixteenths(105),
    "plucked 100": lambda: rhythms.plucked(100),
    "four over a pad": lambda: rhythms.over_pad(rhythms.four_on_the_floor(122)),
    "waltz over a pad": lambda: rhythms.over_pad(rhythms.waltz(130)),
    "speeding up": rhythms.drifting,
    "slowing down": lambda: rhythms.drifting(130, 112),
}
WITHOUT_BEAT: dict[str, Callable[[], Rhythm]] = {
    "silence": rhythms.silence,
    "white noise": rhythms.white_noise,
    "soft white noise": lambda: rhythms.white_noise(0.02, 11),
    "pink noise": rhythms.pink_noise,
    "pad": rhythms.pad,
    "rain": rhythms.rain,
    "speech": rhythms.speech,
}


def features_of(rhythm: Rhythm, folder: Path, fps: Fraction = Fraction(30)) -> Features:
    canonical = write_canonical(folder / "canonical.flac", rhythm.sound)
    frame_count = int(len(rhythm.sound) / rhythms.RATE * fps)
    return make_features(canonical, fps=fps, frame_count=frame_count)


@pytest.mark.parametrize("name", STEADY)
def test_onsets_beats_and_tempo_are_found(name: str, tmp_path: Path) -> None:
    rhythm = STEADY[name]()

    features = features_of(rhythm, tmp_path)

    assert f_measure(features.onsets, rhythm.onsets, 0.05) >= 0.95
    assert f_measure(features.beats, rhythm.beats, 0.07) >= 0.90
    assert features.tempo == pytest.approx(rhythm.tempo, rel=0.02)
    assert features.beat_confidence > 0.7


def test_a_player_who_lingers_and_hurries_is_followed(tmp_path: Path) -> None:
    rhythm = rhythms.rubato()

    features = features_of(rhythm, tmp_path)

    assert f_measure(features.onsets, rhythm.onsets, 0.05) >= 0.95
    assert f_measure(features.beats, rhythm.beats, 0.07) >= 0.90
    assert features.tempo == pytest.approx(rhythm.tempo, rel=0.02)


@pytest.mark.parametrize("name", WITHOUT_BEAT)
def test_no_beat_is_claimed_where_there_is_none(name: str, tmp_path: Path) -> None:
    features = features_of(WITHOUT_BEAT[name](), tmp_path)

    assert features.beat_confidence < 0.3
    assert features.beats == ()
    assert features.tempo == 0
    assert not features.column("beat").any()
    assert not features.column("beat_phase").any()


@pytest.mark.parametrize("gain", [1, 0.2, 0.05])
def test_a_quiet_master_has_the_same_beat(gain: float, tmp_path: Path) -> None:
    rhythm = rhythms.four_on_the_floor(124)
    quiet = Rhythm(gain * rhythm.sound, rhythm.onsets, rhythm.beats, rhythm.tempo)

    features = features_of(quiet, tmp_path)

    assert f_measure(features.beats, rhythm.beats, 0.07) >= 0.95


def test_a_kick_carries_the_beat_though_the_hats_are_louder(tmp_path: Path) -> None:
    t = np.arange(12_000) / rhythms.RATE
    sounds = {
        "kick": 0.9 * np.sin(2 * np.pi * 55 * t) * np.exp(-15 * t),
        "hat": 0.4 * np.random.default_rng(1).standard_normal(12_000) * np.exp(-100 * t),
    }
    instruments = {name: (lambda sound=sound: sound) for name, sound in sounds.items()}
    bar = [(beat, instruments["kick"], 1) for beat in range(4)]
    bar += [(beat + 0.5, instruments["hat"], 1) for beat in range(4)]
    rhythm = rhythms.played(124, bar)

    features = features_of(rhythm, tmp_path)

    assert f_measure(features.beats, rhythm.beats, 0.07) >= 0.95
    assert features.column("onset_bass")[30:].max() > 0.5


def test_a_sound_at_the_very_start_is_an_onset(tmp_path: Path) -> None:
    rhythm = Rhythm(rhythms.laid([(0.0, rhythms.click()), (1.0, rhythms.click())], 2))

    features = features_of(rhythm, tmp_path)

    assert f_measure(features.onsets, [0, 1], 0.02) == 1
    assert features.column("onset")[1] > 0.5


def test_a_pause_has_no_beats(tmp_path: Path) -> None:
    rhythm = rhythms.four_on_the_floor(120)
    sound = np.concatenate([rhythm.sound, np.zeros(8 * rhythms.RATE), rhythm.sound])
    length = len(rhythm.sound) / rhythms.RATE

    features = features_of(Rhythm(sound), tmp_path)

    beats = np.array(features.beats)
    assert not ((beats > length + 0.5) & (beats < length + 7.5)).any()
    assert not features.column("beat_phase")[round((length + 1) * 30) : round((length + 7) * 30)].any()
    assert f_measure(beats[beats < length], rhythm.beats, 0.07) > 0.95


def test_beat_and_phase_follow_the_beats(tmp_path: Path) -> None:
    rhythm = rhythms.click_track(120)

    features = features_of(rhythm, tmp_path, fps=Fraction(60))

    beat, phase = features.column("beat"), features.column("beat_phase")
    for time in features.beats[1:-2]:
        frame = int(np.ceil((time - 0.005) * 60))
        assert beat[frame] > 0.9
        assert beat[frame + 20] < 0.3
        assert phase[frame] < 0.05
        assert phase[frame + 15] == pytest.approx(0.5, abs=0.05)
        assert phase[frame + 28] > 0.9


def one_after_another(*parts: Rhythm) -> Rhythm:
    starts = np.cumsum([0, *(len(part.sound) for part in parts[:-1])]) / rhythms.RATE
    beats = [start + beat for part, start in zip(parts, starts, strict=True) for beat in part.beats]
    return Rhythm(np.concatenate([part.sound for part in parts]), beats=beats, tempo=parts[0].tempo)


def test_a_second_song_has_its_own_tempo(tmp_path: Path) -> None:
    both = one_after_another(*[rhythms.rock(100)] * 2, *[rhythms.four_on_the_floor(128)] * 2)

    features = features_of(both, tmp_path)

    assert f_measure(features.beats, both.beats, 0.07) >= 0.9
    steps = np.diff(features.beats)
    assert np.median(steps[:50]) == pytest.approx(60 / 100, abs=0.01)
    assert np.median(steps[-50:]) == pytest.approx(60 / 128, abs=0.01)


def test_the_beat_rests_where_only_a_pad_is_left(tmp_path: Path) -> None:
    drums = rhythms.four_on_the_floor(120)
    piece = one_after_another(rhythms.pad(), drums, drums, rhythms.pad())

    features = features_of(piece, tmp_path)

    assert f_measure(features.beats, piece.beats, 0.07) >= 0.95
    assert features.beat_confidence > 0.8
