"""Features: fixed functions of time in 0..1, silent in silence, the same on every run and at every rate."""

from __future__ import annotations

import json
import tracemalloc
import wave
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ethereal.audio import passages
from ethereal.audio.bands import BANDS, Band
from ethereal.audio.canonical import make_canonical
from ethereal.audio.envelope import follow
from ethereal.audio.features import (
    FEATURE_NAMES,
    Features,
    load_features,
    make_features,
    save_features,
    write_features,
)
from ethereal.audio.grid import GRID_RATE
from ethereal.errors import InvalidInputError, NotFoundError
from tests import rhythms
from tests.rhythms import RATE, write_canonical

NTSC = Fraction(30_000, 1_001)
Sound = NDArray[np.float64]


def tone(hz: float, seconds: float = 2.0, gain: float = 0.5) -> Sound:
    return gain * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE)) / RATE)


def features_of(sound: Sound, folder: Path, fps: Fraction = Fraction(30)) -> Features:
    canonical = write_canonical(folder / "canonical.flac", sound)
    return make_features(canonical, fps=fps, frame_count=int(len(sound) / RATE * fps))


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rhythm = rhythms.over_pad(rhythms.rock(100))
    return write_canonical(tmp_path_factory.mktemp("song") / "song.flac", rhythm.sound)


def test_silence_is_zero_everywhere(tmp_path: Path) -> None:
    features = features_of(np.zeros(3 * RATE), tmp_path)

    assert features.names == FEATURE_NAMES
    assert features.values.shape == (90, len(FEATURE_NAMES))
    assert not features.values.any()
    assert (features.tempo, features.beat_confidence, features.beats) == (0, 0, ())


def test_hiss_far_below_hearing_does_not_flicker(tmp_path: Path) -> None:
    hiss = 1e-4 * np.random.default_rng(2).standard_normal(3 * RATE)

    assert not features_of(hiss, tmp_path).values.any()


@pytest.mark.parametrize("band", BANDS, ids=lambda band: band.name)
def test_each_band_hears_its_own_pitch(band: Band, tmp_path: Path) -> None:
    features = features_of(tone(float(np.sqrt(band.low * band.high))), tmp_path)

    level = {name: features.column(name)[20:40].mean() for name in (other.name for other in BANDS)}
    assert level.pop(band.name) > 0.95
    assert max(level.values()) < 0.3
    assert features.column(f"{band.name}_envelope")[20:40].mean() > 0.95


def test_levels_fall_with_the_gain_by_a_fixed_scale(tmp_path: Path) -> None:
    loud, soft = (features_of(tone(1000, gain=gain), tmp_path) for gain in (0.1, 0.01))

    for name in ("rms", "loudness", "mid"):
        fall = loud.column(name)[30] - soft.column(name)[30]
        assert fall == pytest.approx(20 / 48, abs=0.01)


def test_all_values_lie_between_0_and_1(song: Path) -> None:
    features = make_features(song, fps=Fraction(24), frame_count=600)

    assert np.isfinite(features.values).all()
    assert features.values.min() >= 0
    assert features.values.max() <= 1


def test_equal_times_give_equal_values_at_every_frame_rate(song: Path) -> None:
    made = {fps: make_features(song, fps=Fraction(fps), frame_count=20 * fps) for fps in (24, 30, 60)}

    for half_second in range(40):
        rows = [features.values[half_second * fps // 2] for fps, features in made.items()]
        np.testing.assert_array_equal(rows[0], rows[1])
        np.testing.assert_array_equal(rows[0], rows[2])


@pytest.mark.parametrize("fps", [Fraction(24), NTSC, Fraction(60_000, 1_001), Fraction(60)])
def test_frames_do_not_drift(fps: Fraction, tmp_path: Path) -> None:
    click_at = 110.0
    sound = rhythms.laid([(click_at, rhythms.click())], 112)

    onset = features_of(sound, tmp_path, fps).column("onset")

    first = int(np.flatnonzero(onset)[0])
    assert 0 <= first / fps - Fraction(click_at) + Fraction(1, 100) < 1 / fps + Fraction(1, 100)


def test_what_comes_later_changes_nothing_before(song: Path) -> None:
    short, long = (make_features(song, fps=Fraction(30), frame_count=count) for count in (100, 900))

    np.testing.assert_array_equal(short.values, long.values[:100])
    assert not long.values[24 * 30 + 30 :].any()


def test_the_passages_that_a_sound_is_read_in_change_no_bit(
    song: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = make_features(song, fps=NTSC, frame_count=700)
    monkeypatch.setattr(passages, "ROWS", 320)

    assert make_features(song, fps=NTSC, frame_count=700).values.tobytes() == whole.values.tobytes()


def test_a_longer_sound_takes_little_more_memory(tmp_path: Path) -> None:
    def peak(seconds: int) -> int:
        canonical = write_canonical(tmp_path / f"{seconds}.flac", np.tile(tone(440, 1), seconds))
        tracemalloc.start()
        write_features(canonical, tmp_path, fps=Fraction(24), frame_count=24 * seconds)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    assert peak(120) - peak(60) < 400_000  # a minute; what is kept on disk of it would be seven million


def test_the_same_sound_gives_the_same_bytes(song: Path) -> None:
    first, second = (make_features(song, fps=NTSC, frame_count=500) for _ in range(2))

    assert first.values.tobytes() == second.values.tobytes()
    assert (first.beats, first.onsets, first.tempo) == (second.beats, second.onsets, second.tempo)


def test_one_sound_at_44100_and_48000_hz_agrees(tmp_path: Path) -> None:
    made = []
    for rate in (44_100, 48_000):
        t = np.arange(4 * rate) / rate
        sound = sum(0.2 * np.sin(2 * np.pi * hz * t) for hz in (80, 440, 3000, 9000)) * (
            1 + np.sin(2 * np.pi * t)
        )
        source = tmp_path / f"{rate}.wav"
        _write_wav(source, 0.5 * sound, rate)
        canonical = make_canonical(source, tmp_path / f"{rate}.flac")
        made.append(make_features(canonical.path, fps=Fraction(30), frame_count=110))

    np.testing.assert_allclose(made[0].values, made[1].values, atol=0.02)


def _write_wav(path: Path, sound: Sound, rate: int) -> None:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate, len(sound), "NONE", ""))
        file.writeframes(np.rint(32767 * sound).astype("<i2").tobytes())


def test_width_tells_mono_from_wide(tmp_path: Path) -> None:
    sides = 0.1 * np.random.default_rng(3).standard_normal((2 * RATE, 2))

    assert features_of(sides[:, 0], tmp_path).column("width").max() < 1e-3
    assert features_of(sides, tmp_path).column("width")[10:50].mean() > 0.9
    assert features_of(sides * [1, 0], tmp_path).column("width")[10:50].mean() == pytest.approx(1, abs=0.01)


def test_sides_that_cancel_are_still_heard(tmp_path: Path) -> None:
    sound = np.column_stack([tone(1000), -tone(1000)])

    features = features_of(sound, tmp_path)

    assert features.column("mid")[30] > 0.9
    assert features.column("width")[30] == 1


def test_the_centre_rises_with_pitch(tmp_path: Path) -> None:
    centres = [features_of(tone(hz), tmp_path).column("centroid")[30] for hz in (100, 400, 1600, 6400)]

    assert centres == sorted(centres)
    assert centres[-1] - centres[0] > 0.5


def test_envelopes_rise_and_fall_in_seconds() -> None:
    step = np.concatenate([np.zeros(100), np.ones(200), np.zeros(400)])

    envelope = follow(step, attack=0.05, release=0.2)

    assert envelope[100 + round(0.05 * GRID_RATE) - 1] == pytest.approx(1 - np.exp(-1), abs=0.03)
    assert envelope[300 + round(0.2 * GRID_RATE) - 1] == pytest.approx(np.exp(-1), abs=0.03)
    assert not envelope[:100].any()
    assert envelope[-1] == 0


def test_the_watcher_sees_the_work_go_on_and_may_stop_it(song: Path, tmp_path: Path) -> None:
    told: list[float] = []
    make_features(song, fps=Fraction(30), frame_count=30, beat=told.append)

    assert told == sorted(told)
    assert told[-1] == 1.0
    assert len(told) > 10

    for last in (0.1, 0.95):

        def stop(fraction: float, last: float = last) -> None:
            if fraction > last:
                raise InterruptedError

        with pytest.raises(InterruptedError):
            write_features(song, tmp_path, fps=Fraction(30), frame_count=30, beat=stop)
        assert not list(tmp_path.iterdir())


def test_a_moment_of_sound_is_enough(tmp_path: Path) -> None:
    for samples in (1, 100, 3000):
        features = features_of(tone(440, samples / RATE), tmp_path, Fraction(60))
        assert features.frame_count == int(samples / RATE * 60)


def test_saved_features_come_back_the_same(song: Path, tmp_path: Path) -> None:
    features = make_features(song, fps=NTSC, frame_count=200)

    save_features(features, tmp_path)
    loaded = load_features(tmp_path)

    np.testing.assert_array_equal(loaded.values, features.values)
    assert (loaded.names, loaded.fps, loaded.frame_count) == (FEATURE_NAMES, NTSC, 200)
    assert (loaded.tempo, loaded.beat_confidence) == (features.tempo, features.beat_confidence)
    assert (loaded.beats, loaded.onsets) == (features.beats, features.onsets)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["features.f32", "features.json"]


def test_the_file_explains_itself(song: Path, tmp_path: Path) -> None:
    save_features(make_features(song, fps=NTSC, frame_count=10), tmp_path)

    described = json.loads((tmp_path / "features.json").read_text())

    assert described["version"] == 2
    assert described["fps"] == "30000/1001"
    assert described["frameCount"] == 10
    assert [column["name"] for column in described["columns"]] == described["names"] == list(FEATURE_NAMES)
    assert all(column["unit"] and column["description"] for column in described["columns"])
    assert (tmp_path / "features.f32").stat().st_size == 10 * len(FEATURE_NAMES) * 4


def test_absent_and_damaged_features_are_told_apart(song: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        load_features(tmp_path)

    save_features(make_features(song, fps=NTSC, frame_count=10), tmp_path)
    numbers = bytearray((tmp_path / "features.f32").read_bytes())
    numbers[17] ^= 1
    (tmp_path / "features.f32").write_bytes(numbers)
    with pytest.raises(InvalidInputError, match="damaged"):
        load_features(tmp_path)

    (tmp_path / "features.json").write_text('{"version": 3}')
    with pytest.raises(InvalidInputError, match="damaged"):
        load_features(tmp_path)


def test_a_broken_save_leaves_no_half(song: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    features = make_features(song, fps=NTSC, frame_count=10)
    save_features(features, tmp_path)
    whole_write = Path.write_bytes

    def full_disk(path: Path, data: bytes) -> int:
        if path.suffix == ".json":
            raise OSError(28, "No space left on device")
        return whole_write(path, data)

    monkeypatch.setattr(Path, "write_bytes", full_disk)
    with pytest.raises(OSError, match="No space"):
        save_features(features, tmp_path)

    with pytest.raises(NotFoundError):
        load_features(tmp_path)
    assert not list(tmp_path.glob(".unfinished*"))
