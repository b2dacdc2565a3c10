"""Loudness and true peak against the reference signals of EBU Tech 3341, made here."""

from __future__ import annotations

import numpy as np
import pyloudnorm
import pytest
from numpy.typing import NDArray

from ethereal.audio.meter import measure_level
from ethereal.audio.weighting import weighting

RATES = [44_100, 48_000]

#: The coefficients that BS.1770-4 prints for 48 kHz (tables 1 and 2).
STANDARD = [
    [1.53512485958697, -2.69169618940638, 1.19839281085285, 1.0, -1.69065929318241, 0.73248077421585],
    [1.0, -2.0, 1.0, 1.0, -1.99004745483398, 0.99007225036621],
]
#: Test cases 1 to 5: seconds and dB of full scale of a stereo tone of 1 kHz, all of -23 LUFS but the second.
CASES = {
    1: [(20, -23)],
    2: [(20, -33)],
    3: [(10, -36), (60, -23), (10, -36)],
    4: [(10, -72), (10, -36), (60, -23), (10, -36), (10, -72)],
    5: [(20, -26), (20.1, -20), (20, -26)],
}


def tone(
    seconds: float, level: float, rate: int, frequency: float = 1000, phase: float = 0
) -> NDArray[np.float32]:
    """A sine on both sides, its peak at `level` dB of full scale, `phase` in degrees."""
    time = np.arange(round(seconds * rate)) / rate
    mono = 10 ** (level / 20) * np.sin(2 * np.pi * frequency * time + np.radians(phase))
    return np.column_stack([mono, mono]).astype(np.float32)


def lufs(sound: NDArray[np.float32], rate: int) -> float:
    measured = measure_level(np.array_split(sound, 7), rate).lufs
    assert measured is not None
    return measured


def true_peak(sound: NDArray[np.float32], rate: int) -> float:
    measured = measure_level([sound], rate).true_peak
    assert measured is not None
    return measured


def test_the_weighting_is_the_standards() -> None:
    np.testing.assert_allclose(weighting(48_000), STANDARD, atol=1e-6)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("case", CASES)
def test_gated_loudness_of_the_reference_cases(case: int, rate: int) -> None:
    sound = np.concatenate([tone(seconds, level, rate) for seconds, level in CASES[case]])

    assert lufs(sound, rate) == pytest.approx(-33 if case == 2 else -23, abs=0.1)


@pytest.mark.parametrize("rate", RATES)
def test_a_tone_of_997_hz_is_as_loud_as_its_peak(rate: int) -> None:
    assert lufs(tone(10, -18, rate, 997), rate) == pytest.approx(-18, abs=0.02)


def test_one_side_alone_is_3_db_less_loud() -> None:
    sound = tone(5, 0, 48_000, 997)
    sound[:, 1] = 0

    assert lufs(sound, 48_000) == pytest.approx(-3.01, abs=0.02)


def test_both_rates_agree_on_the_same_noise() -> None:
    spectrum = np.random.default_rng(1).normal(0, 1, (5 * 20_000, 2)).view(np.complex128).ravel()
    spectrum[0] = 0

    def noise(rate: int) -> NDArray[np.float32]:
        mono = np.fft.irfft(spectrum, 5 * rate) * rate
        return (np.column_stack([mono, mono]) / 5e4).astype(np.float32)

    assert lufs(noise(44_100), 44_100) == pytest.approx(lufs(noise(48_000), 48_000), abs=0.05)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize(
    ("divisor", "phase", "level"),
    [(4, 0, -6.0), (4, 45, -6.0), (6, 60, -6.0), (8, 67.5, -6.0), (4, 45, 3.0)],
    ids=["15", "16", "17", "18", "19"],
)
def test_true_peak_of_the_reference_cases(divisor: int, phase: float, level: float, rate: int) -> None:
    """Test cases 15 to 19: the samples miss the peaks of the tone, the meter may by -0.4 or +0.2 dB."""
    sound = tone(0.5, level, rate, rate / divisor, phase)
    fade = np.minimum(1, np.arange(len(sound)) / 2000)
    sound *= np.minimum(fade, fade[::-1])[:, None].astype(np.float32)

    assert -0.4 <= true_peak(sound, rate) - level <= 0.2


def test_a_peak_between_the_very_first_and_last_samples_is_found() -> None:
    sound = np.zeros((100, 2), np.float32)
    sound[:2, 0] = sound[-2:, 1] = 0.5

    assert true_peak(sound, 48_000) == pytest.approx(true_peak(np.roll(sound, 50, axis=0), 48_000), abs=0.5)
    assert true_peak(sound, 48_000) > 20 * np.log10(0.55)


def test_how_the_sound_is_cut_into_blocks_does_not_matter() -> None:
    sound = np.random.default_rng(2).normal(0, 0.1, (100_000, 2)).astype(np.float32)
    whole = measure_level([sound], 44_100)

    for parts in (2, 13, 999):
        cut = measure_level(np.array_split(sound, parts), 44_100)
        assert cut.lufs == pytest.approx(whole.lufs, abs=1e-6)
        assert cut.true_peak == pytest.approx(whole.true_peak, abs=1e-4)


def test_silence_and_nothing_have_no_level() -> None:
    for sound in (np.zeros((48_000, 2), np.float32), np.zeros((0, 2), np.float32)):
        level = measure_level([sound], 48_000)
        assert (level.lufs, level.true_peak) == (None, None)
        assert level.raised(6.0) == level


def test_what_is_below_the_gate_has_a_peak_but_no_loudness() -> None:
    level = measure_level([tone(3, -80, 48_000)], 48_000)

    assert level.lufs is None
    assert level.true_peak == pytest.approx(-80, abs=0.2)


def test_a_tenth_of_a_second_is_measured_as_it_is() -> None:
    assert lufs(tone(0.1, -20, 48_000), 48_000) == pytest.approx(-20, abs=1)


@pytest.mark.parametrize("rate", RATES)
def test_another_program_hears_the_same_loudness(rate: int) -> None:
    time = np.arange(12 * rate) / rate
    swell = 0.02 + 0.3 * np.sin(np.pi * time / 12) ** 4  # gates have something to leave out
    hiss = np.random.default_rng(3).uniform(-1, 1, (len(time), 2))
    sound = (swell[:, None] * (hiss + np.sin(2 * np.pi * 90 * time)[:, None]) / 2).astype(np.float32)

    assert lufs(sound, rate) == pytest.approx(pyloudnorm.Meter(rate).integrated_loudness(sound), abs=0.1)
