"""Rendering recipes: joins exact to the sample, fades, volume, formats, loudness, and nothing half done."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pyloudnorm
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ethereal.audio.edit import EditResult, render_recipe
from ethereal.audio.encode import AAC, WAV_16, WAV_24, SoundForm, write_sound
from ethereal.audio.mp3 import FRAME, frame_size, write_mp3
from ethereal.audio.probe import probe_audio
from ethereal.audio.read import read_sound
from ethereal.audio.recipe import check_recipe, read_recipe
from ethereal.errors import InvalidInputError, LeaseLostError, UnreadableAudioError

SONG, SPEECH = (str(UUID(int=number)) for number in (1, 2))
RATES = [44_100, 48_000]
SECONDS = 5


def sine(rate: int, seconds: float = SECONDS, frequency: float = 441.7) -> NDArray[np.float32]:
    time = np.arange(round(seconds * rate)) / rate
    return np.column_stack(
        [0.5 * np.sin(2 * np.pi * frequency * time), 0.3 * np.cos(7 * frequency * time)]
    ).astype(np.float32)


def rounded(sound: NDArray[np.float32], bits: int) -> NDArray[np.float32]:
    return (np.rint(sound * 2 ** (bits - 1)) / 2 ** (bits - 1)).astype(np.float32)


def write(path: Path, sound: NDArray[np.float32], rate: int, form: SoundForm = WAV_24) -> Path:
    write_sound([sound], path, form, rate)
    return path


def heard(path: Path, rate: int | None = None) -> NDArray[np.float32]:
    return np.concatenate(list(read_sound(path, rate)))


def clip(start: float, end: float, source: str = SONG, **fields: Any) -> dict[str, Any]:
    return {
        "id": f"{source[-1]}:{start}-{end}",
        "sourceAssetId": source,
        "startTime": start,
        "endTime": end,
    } | fields


def cut(marks: Sequence[float], **fields: Any) -> list[dict[str, Any]]:
    return [clip(start, end, **fields) for start, end in pairwise(marks)]


def render(
    clips: Sequence[Mapping[str, Any]],
    sources: Mapping[str, Path],
    output: Path,
    *,
    options: Mapping[str, Any] | None = None,
    **fields: Any,
) -> EditResult:
    recipe = read_recipe({"version": 1, "assetId": SONG, "clips": clips, "outputSampleRate": 48_000} | fields)
    check_recipe(recipe, {asset: probe_audio(path) for asset, path in sources.items()})
    return render_recipe(recipe, sources, output, **(options or {}))


@pytest.fixture
def song(tmp_path: Path) -> Path:
    return write(tmp_path / "song.wav", sine(48_000), 48_000)


@pytest.mark.parametrize("rate", RATES)
def test_a_sine_cut_in_fifty_and_joined_again_is_the_sine(rate: int, tmp_path: Path) -> None:
    song = write(tmp_path / "song.wav", sine(rate, 6), rate)
    dice = random.Random(4)
    marks = [index / 10 + dice.uniform(0, 0.0001) * (0 < index < 50) for index in range(51)]
    marks = [round(mark * 1.2, 6) for mark in marks]

    result = render(cut(marks), {SONG: song}, tmp_path / "out.wav", outputSampleRate=rate)

    np.testing.assert_array_equal(heard(result.path), rounded(sine(rate, 6), 24))
    assert (result.sample_count, result.duration) == (6 * rate, 6)


def test_a_lossy_source_of_another_rate_is_cut_and_joined_without_a_trace(tmp_path: Path) -> None:
    song = tmp_path / "song.mp3"
    write_mp3([sine(44_100)], song, 44_100)
    marks = [0.0, 0.7001, 1.3, 1.999, 2.5, 3.3333, 4.9]

    whole = render([clip(0, 4.9)], {SONG: song}, tmp_path / "whole.wav")
    joined = render(cut(marks), {SONG: song}, tmp_path / "joined.wav")

    assert joined.sha256 == whole.sha256


def test_clips_sound_in_their_order_from_all_their_sources(song: Path, tmp_path: Path) -> None:
    speech = write(tmp_path / "speech.flac.wav", sine(48_000, 3, 97.0), 48_000)
    clips = [clip(4, 5), clip(1, 2, SPEECH), clip(0.5, 1.5), clip(0, 3, SPEECH), clip(4, 5) | {"id": "again"}]

    result = render(clips, {SONG: song, SPEECH: speech}, tmp_path / "out.wav")

    first, second = (rounded(sine(48_000), 24), rounded(sine(48_000, 3, 97.0), 24))
    expected = [first[192_000:], second[48_000:96_000], first[24_000:72_000], second, first[192_000:]]
    np.testing.assert_array_equal(heard(result.path), np.concatenate(expected))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    spans=st.lists(st.tuples(st.integers(0, 48), st.integers(1, 10)), min_size=1, max_size=12), data=st.data()
)
def test_any_recipe_is_the_cuts_one_after_the_other(
    spans: list[tuple[int, int]], data: st.DataObject, song: Path, tmp_path: Path
) -> None:
    clips = [
        clip(start / 10, min(start + length, 50) / 10, volume=data.draw(st.sampled_from([0, 0.5, 1, 1.5])))
        | {"id": str(index)}
        for index, (start, length) in enumerate(spans)
    ]

    result = render(clips, {SONG: song}, tmp_path / "out.wav")

    whole = heard(song)
    parts = [
        whole[round(c["startTime"] * 48_000) : round(c["endTime"] * 48_000)] * c["volume"] for c in clips
    ]
    np.testing.assert_allclose(heard(result.path), np.concatenate(parts), atol=2e-7)


def test_fades_go_by_equal_power_from_and_to_silence(song: Path, tmp_path: Path) -> None:
    result = render([clip(1, 3, fadeIn=0.5, fadeOut=1, volume=1.5)], {SONG: song}, tmp_path / "out.wav")

    gain = np.full(96_000, 1.5)
    gain[:24_000] *= np.sin(np.pi / 2 * np.arange(24_000) / 24_000)
    gain[48_000:] *= np.sin(np.pi / 2 * np.arange(47_999, -1, -1) / 48_000)
    np.testing.assert_allclose(heard(result.path), heard(song)[48_000:144_000] * gain[:, None], atol=2e-7)
    assert not heard(result.path)[[0, -1]].any()


def test_two_fades_that_cross_have_equal_power(song: Path, tmp_path: Path) -> None:
    result = render([clip(0, 1, fadeIn=0.5, fadeOut=0.5)], {SONG: song}, tmp_path / "out.wav")

    assert np.isfinite(heard(result.path)).all()
    assert np.abs(heard(result.path)).max() > 0.49


def test_too_much_volume_is_clipped_at_full_scale(song: Path, tmp_path: Path) -> None:
    loud = write(tmp_path / "loud.wav", np.clip(sine(48_000) * 1.9, -1, 1), 48_000)
    result = render([clip(0, 5, volume=2)], {SONG: loud}, tmp_path / "out.wav")

    assert heard(result.path).max() == pytest.approx(1, abs=1e-6)
    assert heard(result.path).min() == -1


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize(
    ("fields", "options", "codec", "name"),
    [
        ({}, {"wav_bits": 16}, "pcm_s16le", "out.wav"),
        ({}, {}, "pcm_s24le", "out.wav"),
        ({"outputFormat": "aac"}, {}, "aac", "out.m4a"),
        ({"outputFormat": "aac"}, {"preview": True}, "mp3float", "out.mp3"),
    ],
)
def test_every_format_holds_the_sound_in_time(
    fields: dict[str, Any], options: dict[str, Any], codec: str, name: str, rate: int, tmp_path: Path
) -> None:
    song = write(tmp_path / "song.wav", sine(rate), rate)

    result = render(
        [clip(1, 4)], {SONG: song}, tmp_path / name, options=options, outputSampleRate=rate, **fields
    )

    facts, sound, expected = probe_audio(result.path), heard(result.path), sine(rate)[rate : 4 * rate]
    assert (facts.codec, facts.sample_rate, facts.channels) == (codec, rate, 2)
    assert abs(facts.duration - 3) < Fraction(1, 40)
    assert result.size == result.path.stat().st_size
    middle = slice(3000, 3 * rate - 3000)
    np.testing.assert_allclose(sound[: 3 * rate][middle], expected[middle], atol=0.02)


def test_the_same_recipe_gives_the_same_bytes(song: Path, tmp_path: Path) -> None:
    for name, options in (("a.mp3", {"preview": True}), ("a.m4a", {})):
        results = [
            render(
                [clip(0, 5)], {SONG: song}, tmp_path / f"{turn}{name}", options=options, outputFormat="aac"
            )
            for turn in (1, 2)
        ]
        assert results[0].sha256 == results[1].sha256


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("count", [1, 1000, FRAME, 3 * FRAME + 7, 20 * FRAME])
def test_an_mp3_has_frames_of_one_size_and_gives_every_sample_back(
    count: int, rate: int, tmp_path: Path
) -> None:
    sound, song = sine(rate, count / rate), tmp_path / "song.mp3"
    write_mp3(np.array_split(sound, 3), song, rate)

    coded, size = song.read_bytes(), frame_size(rate)
    assert {coded[start : start + 2] for start in range(0, len(coded), size)} == {b"\xff\xfb"}
    assert len(heard(song)) == count
    np.testing.assert_allclose(heard(song)[600:-600], sound[600:-600], atol=0.02)


def test_a_preview_is_as_loud_as_what_is_saved(song: Path, tmp_path: Path) -> None:
    """LAME turns what it encodes at a constant rate down by 5 % unless it is kept from it."""
    preview = render([clip(0, 5)], {SONG: song}, tmp_path / "p.mp3", options={"preview": True})

    energies = [np.square(heard(path)[4800:-4800]).mean() for path in (preview.path, song)]
    assert 10 * np.log10(energies[0] / energies[1]) == pytest.approx(0, abs=0.05)


def test_clips_against_the_order_of_their_source_are_previewed_alike(song: Path, tmp_path: Path) -> None:
    """All of it is there at once, at the end of the source: nothing may be waited for in vain."""
    clips = list(reversed(cut([0, 1, 2, 3, 4, 5])))

    preview = render(clips, {SONG: song}, tmp_path / "p.mp3", options={"preview": True})
    saved = render(clips, {SONG: song}, tmp_path / "s.wav")

    assert len(heard(preview.path)) == len(heard(saved.path)) == saved.sample_count
    np.testing.assert_allclose(heard(preview.path)[2000:40_000], heard(saved.path)[2000:40_000], atol=0.02)


def noise(seconds: float, level: float, rate: int = 48_000) -> NDArray[np.float32]:
    return np.random.default_rng(9).normal(0, level, (round(seconds * rate), 2)).astype(np.float32)


@pytest.mark.parametrize(("name", "fields"), [("out.wav", {}), ("out.m4a", {"outputFormat": "aac"})])
@pytest.mark.parametrize("level", [0.003, 0.3])
def test_sound_is_brought_to_the_target_and_measured_again(
    level: float, name: str, fields: dict[str, Any], tmp_path: Path
) -> None:
    quiet = write(tmp_path / "noise.wav", noise(5, level), 48_000)

    loudness = {"target": -20, "truePeak": -1}
    result = render([clip(0, 5)], {SONG: quiet}, tmp_path / name, normalize=True, loudness=loudness, **fields)

    assert result.loudness is not None
    assert result.loudness.lufs == pytest.approx(-20, abs=0.2)
    another = pyloudnorm.Meter(48_000).integrated_loudness(heard(result.path))
    assert another == pytest.approx(-20, abs=0.5)
    assert result.loudness.true_peak is not None
    assert result.loudness.true_peak < -1
    assert not result.loudness.limited


@pytest.mark.parametrize(("name", "fields"), [("out.wav", {}), ("out.m4a", {"outputFormat": "aac"})])
def test_sound_with_high_peaks_is_as_loud_as_they_allow(
    name: str, fields: dict[str, Any], tmp_path: Path
) -> None:
    sound = noise(5, 0.01)
    sound[100_000:100_010] = 0.5
    clicking = write(tmp_path / "clicks.wav", sound, 48_000)

    result = render([clip(0, 5)], {SONG: clicking}, tmp_path / name, normalize=True, **fields)

    assert result.loudness is not None
    assert result.loudness.limited
    assert result.loudness.true_peak == pytest.approx(-1, abs=0.35)
    assert result.loudness.true_peak <= -1
    assert result.loudness.lufs is not None
    assert result.loudness.lufs < -20


def test_a_preview_is_brought_to_the_target_too(tmp_path: Path) -> None:
    quiet = write(tmp_path / "quiet.wav", 0.01 * sine(48_000), 48_000)

    result = render(
        [clip(0, 5)], {SONG: quiet}, tmp_path / "p.mp3", options={"preview": True}, normalize=True
    )

    assert result.loudness is not None
    assert result.loudness.lufs == -14
    another = pyloudnorm.Meter(44_100).integrated_loudness(heard(result.path))
    assert another == pytest.approx(-14, abs=0.5)


def test_silence_stays_silent(tmp_path: Path) -> None:
    silence = write(tmp_path / "silence.wav", np.zeros((48_000, 2), np.float32), 48_000)

    result = render([clip(0, 1)], {SONG: silence}, tmp_path / "out.wav", normalize=True)

    assert result.loudness is not None
    assert (result.loudness.lufs, result.loudness.true_peak, result.loudness.gain) == (None, None, 0)
    assert not heard(result.path).any()


@pytest.mark.parametrize("options", [{}, {"preview": True}])
def test_whoever_watches_sees_it_rise_and_may_stop_it(
    options: dict[str, Any], song: Path, tmp_path: Path
) -> None:
    told: list[float] = []
    render(
        [clip(0, 5)], {SONG: song}, tmp_path / "a", options={"beat": told.append, **options}, normalize=True
    )

    assert told == sorted(told)
    assert told[-1] == 1
    for limit in (0.1, 0.45, 0.99):
        (tmp_path / "a").unlink(missing_ok=True)

        def stop(fraction: float, limit: float = limit) -> None:
            if fraction >= limit:
                raise LeaseLostError("cancelled")

        with pytest.raises(LeaseLostError):
            render(
                [clip(0, 5)], {SONG: song}, tmp_path / "a", options={"beat": stop, **options}, normalize=True
            )
        assert [path.name for path in tmp_path.iterdir()] == ["song.wav"]


@pytest.mark.parametrize("options", [{}, {"preview": True}])
def test_the_old_file_stays_until_the_new_one_is_whole(
    options: dict[str, Any], song: Path, tmp_path: Path
) -> None:
    output = tmp_path / "prepared.wav"
    output.write_bytes(b"old")
    recipe = read_recipe({"version": 1, "assetId": SONG, "clips": [clip(0, 3)]})
    song.write_bytes(song.read_bytes()[:400_000])

    with pytest.raises(UnreadableAudioError):
        render_recipe(recipe, {SONG: song}, output, **options)

    assert output.read_bytes() == b"old"
    assert {path.name for path in tmp_path.iterdir()} == {"prepared.wav", "song.wav"}


def test_a_source_that_is_shorter_than_it_said_is_told_with_the_clip(song: Path, tmp_path: Path) -> None:
    recipe = read_recipe({"version": 1, "assetId": SONG, "clips": [clip(0, 1), clip(4, 5.2)]})

    with pytest.raises(
        InvalidInputError, match=r"it ends at 0:05\.2, but its source ends at 0:05\.0"
    ) as refusal:
        render_recipe(recipe, {SONG: song}, tmp_path / "out.wav")

    assert list(refusal.value.details) == ["1:4-5.2"]


def test_a_hair_more_than_there_is_ends_in_silence(song: Path, tmp_path: Path) -> None:
    recipe = read_recipe(
        {"version": 1, "assetId": SONG, "clips": [clip(4, 5.05), clip(0, 1)], "outputSampleRate": 48_000}
    )

    sound = heard(render_recipe(recipe, {SONG: song}, tmp_path / "out.wav").path)

    assert len(sound) == round(2.05 * 48_000)
    assert not sound[48_000 : 48_000 + 2400].any()
    np.testing.assert_array_equal(sound[50_400:], heard(song)[:48_000])


def test_only_what_is_needed_of_a_source_is_read(tmp_path: Path) -> None:
    """The end of this file is damaged; nobody asks for it."""
    song = write(tmp_path / "song.flac.wav", sine(48_000, 20), 48_000)
    song.write_bytes(song.read_bytes()[: round(song.stat().st_size * 0.95)])

    assert render([clip(0, 1)], {SONG: song}, tmp_path / "out.wav").duration == 1


def test_sixteen_bits_are_exact_too(tmp_path: Path) -> None:
    song = write(tmp_path / "song.wav", sine(44_100), 44_100, WAV_16)

    result = render(
        cut([0, 1, 2.5, 5]),
        {SONG: song},
        tmp_path / "o.wav",
        options={"wav_bits": 16},
        outputSampleRate=44_100,
    )

    assert result.path.read_bytes() == song.read_bytes()


def test_aac_is_written_for_streaming(tmp_path: Path) -> None:
    written = write(tmp_path / "a.m4a", sine(48_000), 48_000, AAC).read_bytes()

    assert written.index(b"moov") < written.index(b"mdat")
