"""Peaks for drawing: what a brute-force search over all samples finds, at every zoom."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ethereal.audio.encode import WAV_24, write_sound
from ethereal.audio.peaks import Peaks, make_peaks, save_peaks
from ethereal.errors import LeaseLostError, UnreadableAudioError


def noise(count: int, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).uniform(-1, 1, (count, 2)).astype(np.float32)


def brute_force(sound: NDArray[np.float32], zoom: int) -> list[float]:
    pixels = [sound[start : start + zoom] for start in range(0, len(sound), zoom)]
    return [float(edge) for pixel in pixels for edge in (pixel.min(), pixel.max())]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    count=st.one_of(st.integers(1, 3000), st.sampled_from([65_535, 65_536, 65_537, 140_000])),
    zooms=st.lists(st.integers(1, 5000), min_size=1, max_size=4, unique=True),
    seed=st.integers(0, 9),
)
def test_peaks_are_what_a_search_over_all_samples_finds(
    count: int, zooms: list[int], seed: int, tmp_path: Path
) -> None:
    sound = noise(count, seed)
    write_sound([sound], tmp_path / "a.wav", WAV_24, 44_100)

    found = make_peaks(tmp_path / "a.wav", zooms=zooms)

    for peaks, zoom in zip(found, zooms, strict=True):
        assert (peaks.sample_rate, peaks.samples_per_pixel) == (44_100, zoom)
        assert peaks.length * 2 == len(peaks.data) == 2 * -(-count // zoom)
        np.testing.assert_allclose(peaks.data, brute_force(sound, zoom), atol=6e-5)


def test_both_sides_are_in_the_outline(tmp_path: Path) -> None:
    sound = np.zeros((1000, 2), np.float32)
    sound[10, 0], sound[20, 1] = -0.75, 0.5
    write_sound([sound], tmp_path / "a.wav", WAV_24, 48_000)

    (peaks,) = make_peaks(tmp_path / "a.wav", zooms=[1000])

    assert peaks == Peaks(sample_rate=48_000, samples_per_pixel=1000, length=1, data=(-0.75, 0.5))


def test_the_file_holds_every_zoom_in_the_form_of_the_contract(tmp_path: Path) -> None:
    write_sound([noise(10_000)], tmp_path / "a.wav", WAV_24, 48_000)
    save_peaks(make_peaks(tmp_path / "a.wav"), tmp_path / "peaks.json")

    saved = json.loads((tmp_path / "peaks.json").read_text())

    assert saved["version"] == 1
    assert [zoom["samplesPerPixel"] for zoom in saved["zooms"]] == [512, 4096, 32_768]
    for zoom in saved["zooms"]:
        assert set(zoom) == {"version", "sampleRate", "samplesPerPixel", "length", "data"}
        assert len(zoom["data"]) == 2 * zoom["length"]


def test_damaged_sound_has_no_peaks(tmp_path: Path) -> None:
    source = tmp_path / "a.wav"
    write_sound([noise(50_000)], source, WAV_24, 48_000)
    source.write_bytes(source.read_bytes()[:100_000])

    with pytest.raises(UnreadableAudioError):
        make_peaks(source)


def test_whoever_watches_may_stop_it(tmp_path: Path) -> None:
    write_sound([noise(50_000)], tmp_path / "a.wav", WAV_24, 48_000)

    def stop(_: float) -> None:
        raise LeaseLostError("cancelled")

    with pytest.raises(LeaseLostError):
        make_peaks(tmp_path / "a.wav", beat=stop)
