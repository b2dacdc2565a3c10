"""Reading files: every common form of sound is heard sample-exactly, every broken one is refused in words."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ethereal.audio.canonical import make_canonical, read_blocks
from ethereal.audio.probe import probe_audio
from ethereal.audio.rate import CANONICAL_RATE
from ethereal.errors import InvalidInputError, TooLargeError, UnreadableAudioError

SECONDS = 2


@dataclass(frozen=True)
class Form:
    """A way of writing sound: how it is encoded and by how many samples at 48 kHz it may be longer."""

    name: str
    rate: int
    codec: str
    sample_format: str
    layout: str = "stereo"
    container: str | None = None
    container_options: dict[str, str] = field(default_factory=dict)
    picture_seconds: int = 0
    padding: int = 0

    @property
    def channels(self) -> int:
        return {"mono": 1, "stereo": 2, "5.1": 6}[self.layout]


EXACT = [
    Form("song.wav", 48_000, "pcm_s16le", "s16"),
    Form("deep.wav", 48_000, "pcm_s24le", "s32"),
    Form("song.flac", 48_000, "flac", "s16"),
    Form("film.mov", 48_000, "pcm_s16le", "s16", picture_seconds=2),
    Form("film.mkv", 48_000, "flac", "s16", picture_seconds=2),
]
RESAMPLED = [
    Form("telephone.wav", 8_000, "pcm_s16le", "s16", "mono"),
    Form("cd.flac", 44_100, "flac", "s16"),
    Form("studio.wav", 192_000, "pcm_f32le", "flt"),
    Form("apple.m4a", 44_100, "alac", "s16p"),
]
LOSSY = [
    Form("song.mp3", 44_100, "libmp3lame", "s16p"),
    Form("voice.mp3", 22_050, "libmp3lame", "s16p", "mono"),
    Form("song.m4a", 44_100, "aac", "fltp", padding=1_200),
    Form("song.opus", 48_000, "libopus", "s16", container="ogg"),
    Form("recorded.webm", 48_000, "libopus", "s16", container="webm", picture_seconds=0),
    Form("film.mp4", 44_100, "aac", "fltp", picture_seconds=2, padding=1_200),
]
FORMS = [*EXACT, *RESAMPLED, *LOSSY]


def swept(rate: int, seconds: float = SECONDS) -> NDArray[np.float64]:
    """A rising tone: its shape fits itself at one place only. Shape (samples,), to 2 kHz."""
    t = np.arange(round(rate * seconds)) / rate
    return 0.4 * np.sin(2 * np.pi * (200 * t + 450 * t * t))


def write_sound(path: Path, form: Form, samples: NDArray[np.float64]) -> Path:
    """Write `samples` of shape (samples, channels) with PyAV."""
    with av.open(str(path), "w", format=form.container, options=form.container_options) as container:
        picture = _add_picture(container) if form.picture_seconds else None
        stream = container.add_stream(
            form.codec, rate=form.rate, layout=form.layout, format=form.sample_format
        )
        if picture:
            _write_picture(container, picture, form.picture_seconds)
        for start in range(0, len(samples), 4096):
            frame = _frame(samples[start : start + 4096], form)
            frame.pts = start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def _add_picture(container: av.container.OutputContainer) -> av.VideoStream:
    stream = container.add_stream("mpeg4", rate=10)
    stream.width = stream.height = 64
    stream.pix_fmt = "yuv420p"
    return stream


def _write_picture(container: av.container.OutputContainer, stream: av.VideoStream, seconds: int) -> None:
    for index in range(10 * seconds):
        frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), index, np.uint8), format="rgb24")
        frame.pts = index
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def _frame(block: NDArray[np.float64], form: Form) -> av.AudioFrame:
    sample_format = form.sample_format.removesuffix("p")
    scaled = {
        "s16": lambda: np.rint(block * 32768).astype(np.int16),
        "s32": lambda: np.rint(block * 2**23).astype(np.int32) << 8,
        "flt": lambda: block.astype(np.float32),
    }[sample_format]()
    planes = scaled.T if form.sample_format.endswith("p") else scaled.reshape(1, -1)
    frame = av.AudioFrame.from_ndarray(
        np.ascontiguousarray(planes), format=form.sample_format, layout=form.layout
    )
    frame.sample_rate = form.rate
    frame.time_base = Fraction(1, form.rate)
    return frame


def write_sweep(path: Path, form: Form) -> Path:
    return write_sound(path, form, np.tile(swept(form.rate)[:, None], form.channels))


def heard(path: Path) -> NDArray[np.float32]:
    return np.concatenate(list(read_blocks(path)))


def lag(sound: NDArray[np.float32], expected: NDArray[np.float64]) -> int:
    """By how many samples `sound` comes later than `expected`."""
    size = len(sound) + len(expected)
    spectrum = np.fft.rfft(sound, size) * np.conj(np.fft.rfft(expected, size))
    peak = int(np.argmax(np.fft.irfft(spectrum, size)))
    return peak if peak < size // 2 else peak - size


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
        _write_picture(container, _add_picture(container), 1)

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
