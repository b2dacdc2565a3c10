"""Opens an untrusted media file and finds its first sound track.

Only self-contained formats may be opened: a playlist, a concat script or an image sequence would make
FFmpeg read other files than the one it was given.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import InputContainer

from ethereal.audio.promised import ensure_bytes, promised_duration
from ethereal.errors import UnreadableAudioError

FORMATS = (
    "aac,ac3,aiff,amr,ape,asf,au,avi,caf,dsf,dts,eac3,flac,flv,matroska,mov,mp3,mp4,mpc,mpc8,mpeg,"
    "mpegts,nut,ogg,oma,qcp,rm,shn,sox,tak,tta,voc,w64,wav,webm,wtv,wv"
)
SAMPLE_RATES = range(4_000, 768_001)
MOST_CHANNELS = 64


@dataclass(frozen=True)
class Sound:
    """An open file and its first sound track; `promised` is the length its header tells, in seconds."""

    container: InputContainer
    stream: AudioStream
    promised: Fraction | None


@contextmanager
def open_sound(path: Path) -> Iterator[Sound]:
    """Open the first sound track of `path`. Raise UnreadableAudioError when there is none to read."""
    if path.stat().st_size == 0:
        raise UnreadableAudioError("The file is empty.")
    with _open_container(path) as container:
        stream = _first_track(container)
        ensure_bytes(container, path)
        yield Sound(container, stream, promised_duration(container, path))


def _open_container(path: Path) -> InputContainer:
    options = {"format_whitelist": FORMATS, "protocol_whitelist": "file"}
    try:
        # "file:" keeps a name such as "http:song.mp3" from being taken for an address.
        return av.open(f"file:{path.absolute()}", options=options, metadata_errors="replace")
    except av.FFmpegError as error:
        raise UnreadableAudioError(
            "This is not a sound or video file that can be read, or it is damaged."
        ) from error


def _first_track(container: InputContainer) -> AudioStream:
    if not container.streams.audio:
        raise UnreadableAudioError("There is no sound in this file.")
    stream = container.streams.audio[0]
    if stream.codec_context is None:
        raise UnreadableAudioError("The sound in this file is in a form that is not known here.")
    if stream.sample_rate not in SAMPLE_RATES or not 1 <= stream.channels <= MOST_CHANNELS:
        raise UnreadableAudioError(
            f"The sound claims {stream.sample_rate} samples a second on {stream.channels} channels: "
            "that cannot be right."
        )
    if stream.codec_context.name == "flac":
        stream.codec_context.options = {"err_detect": "crccheck+explode"}
    return stream
