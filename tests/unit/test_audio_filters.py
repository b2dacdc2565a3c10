"""Our filters hold to SciPy's, which take too long to import for everyone who makes a video."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from scipy.signal import firwin, sosfilt, upfirdn, windows

from ethereal.audio.fir import decimate, hann, low_pass
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


def test_hearing_does_not_import_what_takes_most_of_a_second() -> None:
    code = "import sys, ethereal.audio.features; print('scipy.signal' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert told.stdout.strip() == "False"
