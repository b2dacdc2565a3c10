"""Our filters hold to SciPy's, which take too long to import for everyone who makes a video."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from scipy import ndimage
from scipy.signal import firwin, sosfilt, upfirdn, windows

from ethereal.audio.fir import decimate, hann, low_pass
from ethereal.audio.moving import blurred, correlate, highest_around, mean_around, weighted
from ethereal.audio.weighting import KWeighting, weighting


@pytest.mark.parametrize("rate", [44_100, 48_000])
@pytest.mark.parametrize("parts", [1, 7])
def test_sound_in_any_parts_is_weighted_as_by_scipy(rate: int, parts: int) -> None:
    sound = np.random.default_rng(1).uniform(-1, 1, (2, 20_000)).astype(np.float32)

    ears = KWeighting(rate)
    heard = np.concatenate([ears.hear(part) for part in np.array_split(sound, parts, axis=1)], axis=1)

    np.testing.assert_allclose(heard, sosfilt(weighting(rate), sound, axis=1), atol=1e-9)


@pytest.mark.parametrize(("taps", "cutoff"), [(97, 0.125), (65, 0.25)])
def test_a_low_pass_is_scipys(taps: int, cutoff: float) -> None:
    np.testing.assert_allclose(
        low_pass(taps, cutoff), firwin(taps, cutoff, window=("kaiser", 6.0)), atol=1e-15
    )


def test_a_hann_window_is_scipys() -> None:
    np.testing.assert_allclose(hann(256), windows.hann(256, sym=False), atol=1e-15)


@pytest.mark.parametrize("samples", [1, 40, 800, 803])
def test_one_sample_of_eight_is_what_scipys_filter_gives_there(samples: int) -> None:
    sound = np.random.default_rng(2).uniform(-1, 1, (2, samples)).astype(np.float32)
    taps = low_pass(97, 0.125).astype(np.float32)

    kept = decimate(sound, taps, 8)

    assert kept.shape == (2, -(-samples // 8))
    np.testing.assert_allclose(kept, upfirdn(taps, sound, axis=1)[:, 48 : 48 + samples : 8], atol=1e-6)


@pytest.mark.parametrize("length", [1, 5, 400])
@pytest.mark.parametrize("taps", [1, 6, 51])
def test_sums_under_weights_are_scipys(length: int, taps: int) -> None:
    random = np.random.default_rng(3)
    values, weights = random.uniform(-1, 1, (length, 3)), random.uniform(-1, 1, taps)

    there = ndimage.correlate1d(values, weights, axis=0, mode="constant")

    np.testing.assert_allclose(weighted(values, weights), there, atol=1e-12)


@pytest.mark.parametrize("taps", [1, 6, 40])
def test_a_correlation_has_the_sums_where_all_weights_lie_on_values(taps: int) -> None:
    random = np.random.default_rng(3)
    values, weights = random.uniform(-1, 1, 40), random.uniform(-1, 1, taps)

    np.testing.assert_allclose(correlate(values, weights), np.correlate(values, weights, "valid"), atol=1e-12)


@pytest.mark.parametrize("length", [1, 5, 400])
def test_means_highest_values_and_blurs_are_scipys(length: int) -> None:
    values = np.random.default_rng(4).uniform(-1, 1, length)

    for before, after in ((0, 0), (4, 4), (4, 0), (0, 4), (20, 19)):
        size, shift = before + 1 + after, before - (before + 1 + after) // 2
        there = ndimage.uniform_filter1d(values, size, origin=shift, mode="constant")
        np.testing.assert_allclose(mean_around(values, before, after), there, atol=1e-12)
    for reach in (0, 3, 12):
        there = ndimage.maximum_filter1d(values, 2 * reach + 1, mode="constant", cval=-np.inf)
        np.testing.assert_array_equal(highest_around(values, reach), there)
    there = ndimage.gaussian_filter1d(values, 2.0, mode="constant")
    np.testing.assert_allclose(blurred(values, 2.0), there, atol=1e-12)


def test_hearing_does_not_import_what_takes_a_quarter_of_a_second() -> None:
    code = "import sys, ethereal.audio.features; print('scipy' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert told.stdout.strip() == "False"
