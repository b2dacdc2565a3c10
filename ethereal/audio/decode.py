"""Decodes a sound track and refuses one that is damaged or that ends before its header says."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TypeAlias

import av
from av.audio.frame import AudioFrame
from av.packet import Packet
from av.stream import Stream

from ethereal.audio.container import Sound
from ethereal.errors import UnreadableAudioError

AnyPacket: TypeAlias = "Packet[Stream]"  # a generic for the type checker only
LEAST_PART = 0.9
# A tag glued to the end of a whole MP3 fails to decode too, so a broken last packet alone proves nothing.
LEAST_PART_IF_BROKEN = 0.99
# These leave out what fails their checksums; in other formats a recording may pause and have a gap.
GAPLESS = frozenset({"flac", "ogg"})
LONGEST_GAP = 0.02


def read_packets(sound: Sound) -> Iterator[tuple[AnyPacket, float]]:
    """Yield the packets of all tracks, each with how far the file has been read, in seconds.

    Tracks that are not wanted show where the file ends when the sound is shorter than the picture.
    """
    start = (sound.container.start_time or 0) / av.time_base
    reached = 0.0
    try:
        for packet in sound.container.demux():
            if packet.pts is not None and packet.time_base is not None:
                end = (packet.pts + (packet.duration or 0)) * float(packet.time_base)
                reached = max(reached, end - start)
            yield packet, reached
    except av.FFmpegError as error:
        raise UnreadableAudioError(f"The file is damaged after {clock(reached)}.") from error


def decode_frames(sound: Sound) -> Iterator[AudioFrame]:
    """Yield the decoded frames of the track. Raise UnreadableAudioError where it is damaged or cut short."""
    heard = reached = 0.0
    broken = False
    for frames, reached in _decoded_packets(sound):
        if broken and frames:
            raise UnreadableAudioError(f"The sound is damaged near {clock(reached)}.")
        broken = broken or (frames is None and heard > 0)
        for frame in frames or ():
            heard += frame.samples / frame.sample_rate
            yield frame
    if not heard:
        raise UnreadableAudioError("No sound could be decoded from this file.")
    _ensure_whole(sound, heard, reached, LEAST_PART_IF_BROKEN if broken else LEAST_PART)


def _decoded_packets(sound: Sound) -> Iterator[tuple[list[AudioFrame] | None, float]]:
    """Yield what each packet decodes to, None where it cannot be, and how far the file is read in seconds."""
    end: float | None = None
    for packet, reached in read_packets(sound):
        if packet.stream.index != sound.stream.index:
            yield [], reached
            continue
        try:
            frames = sound.stream.decode(packet)
        except av.FFmpegError:
            yield None, reached
            continue
        for frame in frames if sound.container.format.name in GAPLESS else ():
            end = _ensure_no_gap(frame, end)
        yield frames, reached


def _ensure_no_gap(frame: AudioFrame, end: float | None) -> float | None:
    """Return where the frame ends, in seconds. Raise UnreadableAudioError if sound is missing before it."""
    if frame.pts is None or frame.time_base is None:
        return end
    start = frame.pts * float(frame.time_base)
    if end is not None and start > end + LONGEST_GAP:
        raise UnreadableAudioError(f"The sound is damaged near {clock(end)}.")
    return start + frame.samples / frame.sample_rate


def _ensure_whole(sound: Sound, heard: float, reached: float, least_part: float) -> None:
    # With a picture beside it, the sound may rightly be shorter than the file.
    end = reached if sound.container.streams.video else min(heard, reached)
    if sound.promised is not None and end < sound.promised * least_part:
        raise UnreadableAudioError(
            f"The file ends early: it should be {clock(sound.promised)} long but stops at {clock(end)}."
        )


def clock(seconds: Fraction | float) -> str:
    """Show seconds as people read them: 3:07.4."""
    minutes, rest = divmod(round(seconds * 10), 600)
    return f"{minutes}:{rest // 10:02d}.{rest % 10}"
