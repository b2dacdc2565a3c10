"""The sound of a video, taken out as it is: the same samples, in a form of its own."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from ethereal.audio.read import read_sound
from ethereal.audio.sound_only import take_sound
from tests.sounds import write_beats, write_video


def samples(path: Path) -> NDArray[np.float32]:
    return np.concatenate(list(read_sound(path)))


@pytest.mark.parametrize(
    ("name", "picture", "sound", "taken_as"),
    [
        ("a.mp4", "mpeg4", "aac", "sound.m4a"),
        ("a.mov", "mpeg4", "alac", "sound.m4a"),
        ("a.mkv", "mpeg4", "libmp3lame", "sound.mp3"),
        ("a.webm", "libvpx-vp9", "libopus", "sound.webm"),
        ("a.mkv", "mpeg4", "pcm_s16le", "sound.wav"),
        ("a.mkv", "mpeg4", "flac", "sound.flac"),
    ],
)
def test_the_samples_are_those_of_the_video(
    tmp_path: Path, name: str, picture: str, sound: str, taken_as: str
) -> None:
    video = write_video(tmp_path / name, picture, sound)
    taken = take_sound(video, tmp_path)

    assert taken == tmp_path / taken_as
    there, here = samples(video), samples(taken)
    shared = min(len(there), len(here))
    assert abs(len(there) - len(here)) <= 2400
    assert np.abs(there[:shared] - here[:shared]).max() < 1e-6
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, taken_as])


def test_what_cannot_stand_alone_and_what_has_no_picture_stays_as_it_is(tmp_path: Path) -> None:
    song = write_beats(tmp_path / "song.wav", 0.5)
    rare = write_video(tmp_path / "rare.mkv", "mpeg4", "ac3")

    assert take_sound(song, tmp_path) == song
    assert take_sound(rare, tmp_path) == rare
    assert len(list(tmp_path.iterdir())) == 2


def test_a_film_whose_sound_track_is_empty_stays_as_it_is(tmp_path: Path) -> None:
    film, full = tmp_path / "film.mkv", write_video(tmp_path / "full.mkv", "mpeg4", "aac")
    with av.open(str(full)) as source, av.open(str(film), "w") as target:
        tracks = [target.add_stream_from_template(stream) for stream in source.streams]
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = tracks[0]
                target.mux(packet)

    assert take_sound(film, tmp_path) == film
