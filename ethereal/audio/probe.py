"""Reads the facts about a file's sound without decoding it all."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from ethereal.audio.container import Sound, open_sound
from ethereal.audio.decode import decode_frames, read_packets
from ethereal.errors import UnreadableAudioError


@dataclass(frozen=True)
class AudioFacts:
    """What a file says about its first sound track; `duration` is in seconds, `bit_rate` in bits a second."""

    duration: Fraction
    sample_rate: int
    channels: int
    codec: str
    container: str
    bit_rate: int | None


def probe_audio(path: Path) -> AudioFacts:
    """Read the facts and decode the first moment. Raise UnreadableAudioError unless there is sound in it."""
    with open_sound(path) as sound:
        facts = AudioFacts(
            duration=_header_duration(sound) or _packet_duration(path),
            sample_rate=sound.stream.sample_rate,
            channels=sound.stream.channels,
            codec=sound.stream.codec_context.name,
            container=sound.container.format.name,
            bit_rate=sound.stream.bit_rate or sound.container.bit_rate or None,
        )
        next(decode_frames(sound))
    if facts.duration <= 0:
        raise UnreadableAudioError("The sound in this file has no length.")
    return facts


def _header_duration(sound: Sound) -> Fraction | None:
    stream = sound.stream
    if sound.promised is None or not stream.duration or stream.time_base is None:
        return None
    return stream.duration * stream.time_base


def _packet_duration(path: Path) -> Fraction:
    """Measure a track whose header tells no length by walking over its packets."""
    first = last = None
    with open_sound(path) as sound:
        for packet, _ in read_packets(sound):
            if packet.stream.index == sound.stream.index and packet.pts is not None:
                first = packet.pts if first is None else min(first, packet.pts)
                last = max(last or first, packet.pts + (packet.duration or 0))
        if first is None or last is None or sound.stream.time_base is None:
            return Fraction(0)
        return (last - first) * sound.stream.time_base
