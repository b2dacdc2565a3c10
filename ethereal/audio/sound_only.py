"""Takes the sound out of a video file as it is, packet by packet: nothing is decoded and nothing is lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import av
from av.container import InputContainer
from av.stream import Disposition

from ethereal.audio.container import Sound, open_sound
from ethereal.audio.probe import probe_audio
from ethereal.errors import UnreadableAudioError
from ethereal.whole import whole_file

#: The form in which a codec's sound stands alone, and its extension.
_FORMS = {
    "aac": ("ipod", "m4a"),
    "alac": ("ipod", "m4a"),
    "flac": ("flac", "flac"),
    "mp3float": ("mp3", "mp3"),
    "opus": ("webm", "webm"),
    "vorbis": ("webm", "webm"),
    "pcm_s16le": ("wav", "wav"),
    "pcm_s24le": ("wav", "wav"),
}
_LONGEST_DIFFERENCE = 0.1  # seconds


def take_sound(source: Path, folder: Path) -> Path:
    """Write the first sound track of a video to `folder`; a file without moving pictures stays as it is.

    So is a video whose sound cannot stand alone. Raise UnreadableAudioError where the file is damaged.
    """
    with open_sound(source) as sound:
        form = _FORMS.get(sound.stream.codec_context.name)
        if form is None or not _has_pictures(sound.container):
            return source
        output = folder / f"sound.{form[1]}"
        try:
            _copy(sound, output, form[0])
        except av.FFmpegError:  # a form that does not hold this very sound
            return source
    return output if _is_as_long(source, output) else source


def _has_pictures(container: InputContainer) -> bool:
    """Whether there is a picture track; the cover of a song is none."""
    return any(not stream.disposition & Disposition.attached_pic for stream in container.streams.video)


def _copy(sound: Sound, output: Path, form: str) -> None:
    with (
        whole_file(output) as unfinished,
        av.open(str(unfinished), "w", format=form, options={"fflags": "+bitexact"}) as container,
    ):
        track = container.add_stream_from_template(sound.stream)
        container.start_encoding()  # or there would be no file at all where there are no packets
        for packet in sound.container.demux(sound.stream):
            if packet.dts is not None:
                packet.stream = cast(Any, track)
                container.mux(packet)


def _is_as_long(source: Path, output: Path) -> bool:
    try:
        taken = probe_audio(output).duration
    except UnreadableAudioError:
        return False
    return abs(probe_audio(source).duration - taken) <= _LONGEST_DIFFERENCE
