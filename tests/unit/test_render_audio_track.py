"""The sound of the video: in step to the sample, and exactly as long as asked."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from ethereal.errors import LeaseLostError
from ethereal.render.audio_track import make_audio_track, sample_count_for
from tests.render_fakes import write_flac


def make(samples: NDArray[np.float32], folder: Path, sample_count: int) -> Path:
    canonical = write_flac(folder / "canonical.flac", samples)
    make_audio_track(canonical, folder / "audio.m4a", sample_count=sample_count, bit_rate=192_000)
    return folder / "audio.m4a"


def decode(path: Path) -> tuple[int, NDArray[np.float32]]:
    """The length that the file states, in samples, and what is heard; shape (2, n)."""
    with av.open(str(path)) as container:
        sound = container.streams.audio[0]
        assert (sound.sample_rate, sound.channels) == (48_000, 2)
        heard = np.concatenate([frame.to_ndarray() for frame in container.decode(sound)], axis=1)
        assert sound.duration is not None
        return sound.duration, heard


def tone(count: int) -> NDArray[np.float32]:
    return (0.5 * np.sin(2 * np.pi * 1000 * np.arange(count) / 48_000)).astype(np.float32)


@pytest.mark.parametrize("sample_count", [1, 1024, 1600, 65_536, 70_001])
def test_a_longer_sound_is_cut_to_the_sample(tmp_path: Path, sample_count: int) -> None:
    length, heard = decode(make(tone(100_000), tmp_path, sample_count))

    assert length == sample_count
    assert 0 <= heard.shape[1] - sample_count < 1024


@pytest.mark.parametrize("given", [1000, 65_536, 65_537, 70_000])
def test_a_shorter_sound_goes_on_as_silence(tmp_path: Path, given: int) -> None:
    length, heard = decode(make(tone(given), tmp_path, 150_000))

    assert length == 150_000
    loud = np.abs(heard[0]) > 0.2
    assert abs(int(np.flatnonzero(loud)[-1]) - given) < 64
    assert np.abs(heard[:, given + 2048 :]).max() < 1e-3


def test_what_is_heard_is_what_was_given(tmp_path: Path) -> None:
    samples = tone(96_000)

    _, heard = decode(make(samples, tmp_path, 96_000))

    rest = heard[:, 2000:90_000] - samples[2000:90_000]
    assert 10 * np.log10(np.mean(samples**2) / np.mean(rest**2)) > 30


def test_the_same_sound_gives_the_same_bytes(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).normal(0, 0.2, 60_000).astype(np.float32)

    one, two = (make(noise, tmp_path, 60_000).read_bytes() for _ in range(2))

    assert one == two


def test_it_can_be_stopped(tmp_path: Path) -> None:
    def stop(fraction: float) -> None:
        raise LeaseLostError

    canonical = write_flac(tmp_path / "canonical.flac", tone(1000))
    with pytest.raises(LeaseLostError):
        make_audio_track(canonical, tmp_path / "a.m4a", sample_count=1000, bit_rate=64_000, beat=stop)


def test_sound_lasts_as_long_as_the_frames_to_the_nearest_sample() -> None:
    assert sample_count_for(30, Fraction(30)) == 48_000
    assert sample_count_for(1, Fraction(30_000, 1001)) == 1602  # 1601.6
