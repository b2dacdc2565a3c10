"""Damaged and strange files: a typed error or correct sound, never a crash, a hang or a file left behind.

A process of its own reads the damaged ones, so that a crash is a finding and not the end of the tests.
"""

from __future__ import annotations

import random
import struct
import sys
import wave
from collections.abc import Iterator
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ethereal.audio.canonical import make_canonical
from ethereal.audio.edit import render_recipe
from ethereal.audio.encode import AAC, WAV_16, WAV_24, SoundForm, write_sound
from ethereal.audio.flac import open_flac
from ethereal.audio.peaks import make_peaks
from ethereal.audio.probe import probe_audio
from ethereal.audio.probe_child import probe_apart
from ethereal.audio.read import read_sound
from ethereal.audio.recipe import read_recipe
from ethereal.errors import InvalidInputError, UnreadableAudioError
from ethereal.process import run_tool
from tests.sounds import write_video

MP3 = SoundForm("mp3", "libmp3lame", "fltp", 128_000)
OGG = SoundForm("ogg", "libopus", "s16", 64_000)
MATROSKA = SoundForm("matroska", "libopus", "s16", 64_000)
WRITTEN = {"a.wav": WAV_16, "b.wav": WAV_24, "c.mp3": MP3, "d.m4a": AAC, "e.ogg": OGG, "f.webm": MATROSKA}
ASSET = str(UUID(int=1))

READER = """
import json, sys
from fractions import Fraction
from pathlib import Path
from ethereal.audio.canonical import make_canonical
from ethereal.audio.edit import render_recipe
from ethereal.audio.peaks import make_peaks
from ethereal.audio.probe import probe_audio
from ethereal.audio.recipe import read_recipe
from ethereal.audio.sound_only import take_sound
from ethereal.errors import InvalidInputError
folder, asset = Path(sys.argv[1]), "00000000-0000-0000-0000-000000000001"
clip = {"id": "a", "sourceAssetId": asset, "startTime": 0, "endTime": 0.9}
recipe = read_recipe({"version": 1, "assetId": asset, "clips": [clip], "normalize": True})
looks = {
    "probe": probe_audio,
    "canonical": lambda path: make_canonical(path, folder / "canonical.flac", max_duration=Fraction(60)),
    "peaks": make_peaks,
    "edit": lambda path: render_recipe(recipe, {asset: path}, folder / "edited.mp3", preview=True),
    "sound alone": lambda path: take_sound(path, folder),
}
for path in sorted(folder.glob("damaged*")):
    for name, look in looks.items():
        print(json.dumps([path.name, name]), flush=True)  # the last one of these is what crashed
        try:
            look(path)
        except InvalidInputError as refusal:
            assert str(refusal).endswith("."), refusal
"""


def tone(seconds: float = 1.0) -> np.ndarray:
    mono = 0.4 * np.sin(2 * np.pi * 440 * np.arange(round(48_000 * seconds)) / 48_000)
    return np.column_stack([mono, mono]).astype(np.float32)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """One second of sound in every common form, and a film."""
    folder = tmp_path_factory.mktemp("whole")
    for name, form in WRITTEN.items():
        write_sound([tone()], folder / name, form, 48_000)
    with open_flac(folder / "g.flac") as write:
        write(tone())
    write_video(folder / "h.mp4", "mpeg4", "aac")
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def damaged(data: bytes, dice: random.Random) -> Iterator[bytes]:
    """The same file cut off, with absurd numbers, flipped here and there, with a hole and with a hill."""
    for most in (64, 1024, len(data)):
        yield data[: dice.randrange(min(most, len(data)))]
    for number in (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\x7f\xff\xff\xff"):
        place = dice.randrange(4, min(256, len(data)))
        yield data[:place] + number + data[place + 4 :]
    for reach in (64, 64, 512, len(data)):
        flipped = bytearray(data)
        for _ in range(dice.randint(1, 6)):
            flipped[dice.randrange(min(reach, len(data)))] ^= 1 << dice.randrange(8)
        yield bytes(flipped)
    start = dice.randrange(len(data))
    yield data[:start] + bytes(dice.randrange(2000)) + data[start + 500 :]
    yield data[:start] + dice.randbytes(700) + data[start:]


@pytest.mark.parametrize("seed", [1, 2])
def test_no_damage_is_worse_than_a_refusal(seed: int, whole: dict[str, bytes], tmp_path: Path) -> None:
    dice = random.Random(seed)
    for name, data in whole.items():
        for number, bytes_ in enumerate(damaged(data, dice)):
            (tmp_path / f"damaged-{number}-{name}").write_bytes(bytes_)

    result = run_tool([sys.executable, "-c", READER, str(tmp_path)], timeout=timedelta(seconds=150))

    assert len(result.stdout.splitlines()) == len(whole) * 13 * 5
    made = {"canonical.flac", "edited.mp3", "sound.m4a"}
    assert {path.name.split("-")[0] for path in tmp_path.iterdir()} <= {"damaged", *made}


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_look_from_apart_ends_well_whatever_the_file(
    data: st.DataObject, whole: dict[str, bytes], tmp_path: Path
) -> None:
    name = data.draw(st.sampled_from(sorted(whole)))
    cut = data.draw(st.integers(0, len(whole[name])))
    (tmp_path / name).write_bytes(whole[name][:cut] + data.draw(st.binary(max_size=64)))

    try:
        facts = probe_apart(tmp_path / name)
    except UnreadableAudioError:
        return
    assert facts == probe_audio(tmp_path / name)


def header(
    channels: int = 2,
    rate: int = 48_000,
    bits: int = 16,
    tag: int = 1,
    data_size: int | None = None,
    body: bytes = b"",
) -> bytes:
    """A WAV file that may say anything about itself."""
    align = channels * bits // 8
    fmt = struct.pack(
        "<HHIIHH", tag, channels & 0xFFFF, rate, rate * align & 0xFFFF_FFFF, align & 0xFFFF, bits
    )
    size = len(body) if data_size is None else data_size
    chunks = b"WAVEfmt " + struct.pack("<I", len(fmt)) + fmt + b"data" + struct.pack("<I", size) + body
    return b"RIFF" + struct.pack("<I", len(chunks)) + chunks


NONSENSE = {
    "no-channels": header(channels=0, body=bytes(4000)),
    "many-channels": header(channels=65_535, bits=8, body=bytes(70_000)),
    "no-rate": header(rate=0, body=bytes(4000)),
    "slow": header(rate=1, body=bytes(4000)),
    "fast": header(rate=0xFFFF_FFFF, body=bytes(4000)),
    "no-bits": header(bits=0, body=bytes(4000)),
    "many-bits": header(bits=4096, body=bytes(4000)),
    "unknown-tag": header(tag=0x4242, body=bytes(4000)),
    "no-length": header(),
    "endless": header(data_size=0xFFFF_FFFF, body=b""),
    "odd": header(body=b"\0"),
}


@pytest.mark.parametrize("name", NONSENSE)
def test_a_header_of_nonsense_is_refused_in_words(name: str, tmp_path: Path) -> None:
    source = tmp_path / f"{name}.wav"
    source.write_bytes(NONSENSE[name])
    recipe = read_recipe({"version": 1, "assetId": ASSET, "clips": [spoken_clip(0, 1)]})

    for read in (
        probe_audio,
        make_peaks,
        lambda path: make_canonical(path, tmp_path / "c.flac"),
        lambda path: render_recipe(recipe, {ASSET: path}, tmp_path / "out.wav"),
    ):
        with pytest.raises(UnreadableAudioError):
            read(source)

    assert [path.name for path in tmp_path.iterdir()] == [source.name]


def test_of_a_header_that_promises_days_what_is_there_is_heard(tmp_path: Path) -> None:
    source = tmp_path / "days.wav"
    source.write_bytes(header(rate=4000, bits=8, channels=1, data_size=0x7FFF_0000, body=bytes(4000)))

    canonical = make_canonical(source, tmp_path / "c.flac", max_duration=Fraction(1800))

    assert canonical.duration == 1


def spoken_clip(start: float, end: float) -> dict[str, object]:
    return {"id": "a", "sourceAssetId": ASSET, "startTime": start, "endTime": end}


def write_channels(path: Path, channels: int, rate: int, seconds: float = 0.5) -> Path:
    """The same tone on every channel."""
    mono = 0.4 * np.sin(2 * np.pi * 440 * np.arange(round(rate * seconds)) / rate)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((np.repeat(mono[:, None], channels, axis=1) * 32_767).astype("<i2").tobytes())
    return path


@pytest.mark.parametrize("rate", [8_000, 192_000])
@pytest.mark.parametrize("channels", range(1, 9))
def test_any_number_of_channels_is_heard_or_refused(channels: int, rate: int, tmp_path: Path) -> None:
    source = write_channels(tmp_path / "many.wav", channels, rate)
    recipe = read_recipe({"version": 1, "assetId": ASSET, "clips": [spoken_clip(0, 0.5)]})

    facts = probe_audio(source)
    try:
        edited = render_recipe(recipe, {ASSET: source}, tmp_path / "out.wav")
    except UnreadableAudioError:
        assert channels > 2
        return

    sound = np.concatenate(list(read_sound(edited.path)))
    assert (facts.channels, facts.sample_rate, facts.duration) == (channels, rate, Fraction(1, 2))
    assert len(sound) == edited.sample_count == 22_050
    assert 0.15 < np.abs(sound[2000:-2000]).max() <= 1
    assert make_peaks(source, zooms=[1000])[0].length == rate // 2000
    assert make_canonical(source, tmp_path / "c.flac").sample_count == 24_000


def test_a_broken_source_of_an_edit_leaves_nothing(whole: dict[str, bytes], tmp_path: Path) -> None:
    recipe = read_recipe({"version": 1, "assetId": ASSET, "clips": [spoken_clip(0, 0.9)]})
    for name, data in whole.items():
        source = tmp_path / name
        source.write_bytes(data[: len(data) // 2])
        for preview in (False, True):
            with pytest.raises(InvalidInputError):
                render_recipe(recipe, {ASSET: source}, tmp_path / "out", preview=preview)
        source.unlink()

    assert list(tmp_path.iterdir()) == []
