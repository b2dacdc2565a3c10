"""Files that are none, lie, break off or are garbled: refused in words, and nothing is left of them."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ethereal.audio.canonical import make_canonical
from ethereal.audio.probe import probe_audio
from ethereal.audio.rate import CANONICAL_RATE
from ethereal.errors import TooLargeError, UnreadableAudioError
from tests.sound_forms import (
    EXACT,
    FORMS,
    SECONDS,
    Form,
    add_picture,
    heard,
    swept,
    write_picture,
    write_sound,
    write_sweep,
)


@pytest.fixture
def wav(tmp_path: Path) -> Path:
    return write_sweep(tmp_path / "song.wav", EXACT[0])


def test_a_header_that_tells_too_much_is_believed(wav: Path, tmp_path: Path) -> None:
    with pytest.raises(TooLargeError, match=r"0:02\.0 long; the limit is 0:01\.5"):
        make_canonical(wav, tmp_path / "c.flac", max_duration=Fraction(3, 2))


def test_a_header_that_tells_too_little_is_not_believed(tmp_path: Path) -> None:
    source = write_sweep(tmp_path / "song.flac", Form("song.flac", 48_000, "flac", "s16"))
    data = bytearray(source.read_bytes())
    total = data.index(b"fLaC") + 8 + 14  # the low 32 bits of the sample count in STREAMINFO
    data[total : total + 4] = (48_000 // 2).to_bytes(4, "big")
    source.write_bytes(data)

    with pytest.raises(TooLargeError):
        make_canonical(source, tmp_path / "c.flac", max_duration=Fraction(1))

    assert [path.name for path in tmp_path.iterdir()] == ["song.flac"]


def test_sound_of_exactly_the_limit_is_taken(wav: Path, tmp_path: Path) -> None:
    assert make_canonical(wav, tmp_path / "c.flac", max_duration=Fraction(2)).duration == 2


NOT_SOUND = {
    "empty.mp3": b"",
    "letter.mp3": b"Dear sir,\nthis is a text and no music at all.\n" * 50,
    "page.html": b"<!doctype html><html><body>404</body></html>",
    "noise.wav": bytes(range(256)) * 40,
    "playlist.m3u8": b"#EXTM3U\n#EXTINF:10,\nhttp://127.0.0.1:1/a.ts\n",
    "script.txt": b"ffconcat version 1.0\nfile '/etc/passwd'\n",
    "picture.png": b"\x89PNG\r\n\x1a\n" + b"\0" * 200,
    "header.wav": b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x01\0\x02\0"
    b"\x80\xbb\0\0\0\xee\x02\0\x04\0\x10\0data\0\0\0\0",
}


@pytest.mark.parametrize("name", NOT_SOUND)
def test_what_is_not_sound_is_refused_in_words(name: str, tmp_path: Path) -> None:
    source = tmp_path / name
    source.write_bytes(NOT_SOUND[name])

    for read in (probe_audio, lambda path: make_canonical(path, tmp_path / "c.flac")):
        with pytest.raises(UnreadableAudioError, match=r"^[A-Z].*\.$"):
            read(source)

    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_film_without_sound_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "silent.mp4"
    with av.open(str(source), "w") as container:
        write_picture(container, add_picture(container), 1)

    with pytest.raises(UnreadableAudioError, match="There is no sound in this file"):
        probe_audio(source)


def test_a_playlist_is_never_followed(wav: Path, tmp_path: Path) -> None:
    for name, text in {
        "list.ffconcat": f"ffconcat version 1.0\nfile {wav.name}\n",
        "list.m3u8": f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{wav.name}\n#EXT-X-ENDLIST\n",
    }.items():
        (tmp_path / name).write_text(text)
        with pytest.raises(UnreadableAudioError):
            make_canonical(tmp_path / name, tmp_path / "c.flac")


@pytest.mark.parametrize("part", [0.03, 0.3, 0.6, 0.85])
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_a_file_that_was_cut_short_is_refused_and_leaves_nothing(
    form: Form, part: float, tmp_path: Path
) -> None:
    source = write_sweep(tmp_path / form.name, form)
    source.write_bytes(source.read_bytes()[: round(source.stat().st_size * part)])

    with pytest.raises(UnreadableAudioError):
        make_canonical(source, tmp_path / "c.flac")

    assert [path.name for path in tmp_path.iterdir()] == [form.name]


@pytest.mark.parametrize("part", [0.4, 0.7])
def test_a_film_with_its_index_in_front_is_refused_when_cut_short(part: float, tmp_path: Path) -> None:
    form = Form(
        "f.mp4", 44_100, "aac", "fltp", picture_seconds=2, container_options={"movflags": "faststart"}
    )
    source = write_sweep(tmp_path / form.name, form)
    whole = source.read_bytes()
    assert make_canonical(source, tmp_path / "whole.flac").sample_count > 0
    source.write_bytes(whole[: round(len(whole) * part)])

    with pytest.raises(UnreadableAudioError):
        make_canonical(source, tmp_path / "c.flac")


def test_a_film_longer_than_its_sound_is_whole(tmp_path: Path) -> None:
    for name, codec, sample_format in (("f.mkv", "flac", "s16"), ("f.mp4", "aac", "fltp")):
        form = Form(name, 48_000, codec, sample_format, picture_seconds=5)
        source = write_sweep(tmp_path / name, form)

        assert abs(probe_audio(source).duration - SECONDS) < Fraction(1, 20)
        assert abs(make_canonical(source, tmp_path / "c.flac").duration - SECONDS) < Fraction(1, 20)


@pytest.mark.parametrize("name", ["song.flac", "song.opus", "song.m4a", "film.mkv"])
def test_damage_in_the_middle_is_refused_with_its_place(name: str, tmp_path: Path) -> None:
    form = next(form for form in FORMS if form.name == name)
    samples = np.random.default_rng(3).normal(0, 0.1, (form.rate * 4, 2))
    source = write_sound(tmp_path / name, form, samples)
    data = bytearray(source.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 400] = np.random.default_rng(5).bytes(400)
    source.write_bytes(data)

    with pytest.raises(UnreadableAudioError, match=r"damaged near 0:0\d|ends early"):
        make_canonical(source, tmp_path / "c.flac")


def test_a_tag_glued_to_the_end_of_an_mp3_does_no_harm(tmp_path: Path) -> None:
    form = next(form for form in FORMS if form.name == "song.mp3")
    source = write_sweep(tmp_path / form.name, form)
    source.write_bytes(source.read_bytes() + b"TAG" + b"My song".ljust(125, b"\xff"))

    assert make_canonical(source, tmp_path / "c.flac").sample_count == SECONDS * CANONICAL_RATE


def test_tags_in_no_known_alphabet_do_no_harm(wav: Path) -> None:
    data = wav.read_bytes()
    at = data.index(b"data")
    note = (
        b"LIST"
        + (18).to_bytes(4, "little")
        + b"INFOINAM"
        + (6).to_bytes(4, "little")
        + b"\xff\xfe\xc3\x28\xe9\0"
    )
    wav.write_bytes(data[:at] + note + data[at:])

    assert probe_audio(wav).duration == SECONDS


def test_numbers_that_are_none_become_silence(tmp_path: Path) -> None:
    form = Form("broken.wav", 48_000, "pcm_f32le", "flt")
    samples = np.tile(swept(48_000)[:, None], 2)
    samples[1000], samples[2000], samples[3000] = np.nan, np.inf, 1e30
    canonical = make_canonical(write_sound(tmp_path / form.name, form, samples), tmp_path / "c.flac")

    sound = heard(canonical.path)

    assert (sound[1000] == 0).all()
    assert (sound[2000] == sound[3000]).all()
    assert np.abs(sound).max() <= 1


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_garbling_ever_does_worse_than_a_refusal(data: st.DataObject, tmp_path: Path) -> None:
    form = data.draw(st.sampled_from(FORMS), label="form")
    intact = tmp_path / form.name
    if not intact.exists():
        write_sweep(intact, form)
    sound = bytearray(intact.read_bytes())
    for _ in range(data.draw(st.integers(1, 8), label="hits")):
        place = data.draw(st.integers(0, len(sound) - 1))
        sound[place : place + 4] = data.draw(st.binary(min_size=1, max_size=4))
    garbled = tmp_path / f"garbled-{form.name}"
    garbled.write_bytes(sound)

    try:
        probe_audio(garbled)
        make_canonical(garbled, tmp_path / "c.flac", max_duration=Fraction(60))
    except (UnreadableAudioError, TooLargeError):
        pass
    assert not list(tmp_path.glob(".unfinished*"))
