"""Reading files: every common form of sound is heard sample-exactly, every broken one is refused in words."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from ethereal.audio.canonical import make_canonical, read_blocks
from ethereal.audio.probe import probe_audio
from ethereal.audio.rate import CANONICAL_RATE
from ethereal.errors import InvalidInputError, UnreadableAudioError
from tests.sound_forms import (
    EXACT,
    FORMS,
    SECONDS,
    Form,
    heard,
    lag,
    swept,
    write_sound,
    write_sweep,
)


@pytest.fixture
def wav(tmp_path: Path) -> Path:
    return write_sweep(tmp_path / "song.wav", EXACT[0])


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_every_common_form_is_heard_in_full_and_in_time(form: Form, tmp_path: Path) -> None:
    source = write_sweep(tmp_path / form.name, form)

    facts = probe_audio(source)
    canonical = make_canonical(source, tmp_path / "canonical.flac")
    sound = heard(canonical.path)

    assert (facts.sample_rate, facts.channels) == (form.rate, form.channels)
    assert abs(facts.duration - SECONDS) < Fraction(1, 20)
    assert 0 <= canonical.sample_count - SECONDS * CANONICAL_RATE <= form.padding
    assert sound.shape == (canonical.sample_count, 2)
    assert lag(sound[:, 0], swept(CANONICAL_RATE)) == 0
    middle = slice(1000, SECONDS * CANONICAL_RATE - 1000)
    np.testing.assert_allclose(sound[middle, 1], swept(CANONICAL_RATE)[middle], atol=0.1)


@pytest.mark.parametrize("form", EXACT, ids=lambda form: form.name)
def test_sound_that_is_48_khz_already_keeps_every_sample(form: Form, tmp_path: Path) -> None:
    source = write_sweep(tmp_path / form.name, form)

    canonical = make_canonical(source, tmp_path / "canonical.flac")

    steps = 2**23 if form.sample_format == "s32" else 2**15
    expected = np.rint(swept(CANONICAL_RATE) * steps) / steps
    np.testing.assert_array_equal(heard(canonical.path), np.column_stack([expected, expected]))


def test_mono_is_heard_at_full_level_on_both_sides(tmp_path: Path) -> None:
    form = Form("mono.wav", 48_000, "pcm_s16le", "s16", "mono")
    canonical = make_canonical(write_sweep(tmp_path / form.name, form), tmp_path / "canonical.flac")

    sound = heard(canonical.path)

    np.testing.assert_allclose(sound[:, 0], swept(48_000), atol=1e-4)
    np.testing.assert_array_equal(sound[:, 0], sound[:, 1])


def test_six_channels_are_mixed_to_two_without_clipping(tmp_path: Path) -> None:
    form = Form("cinema.wav", 48_000, "pcm_s16le", "s16", "5.1")
    samples = np.zeros((48_000, 6))
    samples[:, 0] = 0.9  # front left
    samples[:, 2] = 0.9  # centre
    canonical = make_canonical(write_sound(tmp_path / form.name, form, samples), tmp_path / "c.flac")

    left, right = heard(canonical.path)[24_000]

    assert 0.2 < right < left < 1.0


def test_a_source_in_unusual_rates_is_resampled_to_the_exact_count(tmp_path: Path) -> None:
    form = Form("odd.wav", 37_811, "pcm_s16le", "s16")

    canonical = make_canonical(write_sweep(tmp_path / form.name, form), tmp_path / "c.flac")

    assert canonical.sample_count == SECONDS * CANONICAL_RATE


def test_the_same_source_gives_the_same_bytes(wav: Path, tmp_path: Path) -> None:
    first = make_canonical(wav, tmp_path / "first.flac")
    second = make_canonical(wav, tmp_path / "second.flac")

    assert first.sha256 == second.sha256
    assert first.path.read_bytes() == second.path.read_bytes()


def test_a_span_is_cut_to_the_sample(wav: Path, tmp_path: Path) -> None:
    whole = heard(make_canonical(wav, tmp_path / "whole.flac").path)

    cut = make_canonical(wav, tmp_path / "cut.flac", span=(Fraction(1, 3), Fraction(7, 5)))

    assert cut.duration == Fraction(67_200 - 16_000, CANONICAL_RATE)
    np.testing.assert_array_equal(heard(cut.path), whole[16_000:67_200])


@pytest.mark.parametrize("span", [(1, 1), (-1, 1), (1, 5), (3, 4)])
def test_a_span_the_sound_does_not_have_is_refused(span: tuple[int, int], wav: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="range") as refusal:
        make_canonical(wav, tmp_path / "c.flac", span=(Fraction(span[0]), Fraction(span[1])))

    assert "range" in refusal.value.details
    assert [path.name for path in tmp_path.iterdir()] == ["song.wav"]


def test_who_watches_may_stop_the_work(wav: Path, tmp_path: Path) -> None:
    class EnoughError(Exception):
        pass

    def stop(fraction: float) -> None:
        raise EnoughError

    with pytest.raises(EnoughError):
        make_canonical(wav, tmp_path / "c.flac", beat=stop)

    assert [path.name for path in tmp_path.iterdir()] == ["song.wav"]


def test_who_watches_sees_the_fraction_rise_to_one(wav: Path, tmp_path: Path) -> None:
    told: list[float] = []

    make_canonical(wav, tmp_path / "c.flac", beat=told.append)

    assert told == sorted(told)
    assert told[-1] == 1.0
    assert len(told) >= SECONDS


@pytest.mark.parametrize("block", [1, 1000, 65_536, 10**7])
def test_blocks_have_the_asked_size(block: int, wav: Path, tmp_path: Path) -> None:
    span = (Fraction(0), Fraction(5000, CANONICAL_RATE))
    canonical = make_canonical(wav, tmp_path / "c.flac", span=span if block == 1 else None)

    sizes = [len(samples) for samples in read_blocks(canonical.path, block)]

    assert sum(sizes) == canonical.sample_count
    assert set(sizes[:-1]) <= {block}
    assert sizes[-1] <= block


def test_only_canonical_audio_is_read_in_blocks(tmp_path: Path) -> None:
    source = write_sweep(tmp_path / "cd.flac", Form("cd.flac", 44_100, "flac", "s16"))

    with pytest.raises(UnreadableAudioError, match="48 kHz"):
        next(read_blocks(source))
