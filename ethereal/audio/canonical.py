"""Canonical audio: whatever was given, as 48 kHz stereo 24-bit FLAC, sample-exact, the same on every run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from ethereal.audio.container import Sound, open_sound
from ethereal.audio.decode import clock, decode_frames
from ethereal.audio.flac import open_flac
from ethereal.audio.rate import CANONICAL_RATE
from ethereal.audio.resample import Samples, in_blocks, resample
from ethereal.beat import Beat, no_beat
from ethereal.errors import InvalidInputError, TooLargeError, UnreadableAudioError
from ethereal.whole import sha256_of, whole_file

# Lengths shown to people are rounded: a span may end this many samples (0.1 s) after the sound does.
SPAN_SLACK = CANONICAL_RATE // 10

Span = tuple[Fraction, Fraction]


@dataclass(frozen=True)
class CanonicalAudio:
    """A canonical file and the sha256 of its bytes."""

    path: Path
    sample_count: int
    sha256: str

    @property
    def duration(self) -> Fraction:
        """Length in seconds."""
        return Fraction(self.sample_count, CANONICAL_RATE)


def make_canonical(
    source: Path,
    output: Path,
    *,
    max_duration: Fraction | None = None,
    span: Span | None = None,
    beat: Beat = no_beat,
) -> CanonicalAudio:
    """Write the first sound track of `source` at `output`, whole or not at all.

    `span` keeps the samples from its start to before its end, in seconds. `max_duration` limits the source up
    to that end, whatever its header says. Raise TooLargeError, UnreadableAudioError, or InvalidInputError for
    a span that the sound does not have.
    """
    first, last = _span_samples(span)
    with open_sound(source) as sound, whole_file(output) as unfinished:
        _refuse_long(sound.promised, max_duration)
        blocks = _limited(_watched(resample(decode_frames(sound)), sound, beat, last), max_duration)
        with open_flac(unfinished) as write:
            count = 0
            for block in _cut(blocks, first, last):
                write(block)
                count += len(block)
        if count == 0:
            raise UnreadableAudioError("There is no sound in this file: it has no length.")
        digest = sha256_of(unfinished)
    beat(1.0)
    return CanonicalAudio(output, count, digest)


def read_blocks(path: Path, block: int = 65_536) -> Iterator[Samples]:
    """Yield canonical audio in blocks of `block` samples, the last one shorter; float32, shape (n, 2)."""
    with open_sound(path) as sound:
        if (sound.stream.sample_rate, sound.stream.channels) != (CANONICAL_RATE, 2):
            raise UnreadableAudioError("This is not canonical audio: it must be 48 kHz stereo.")
        yield from in_blocks(resample(decode_frames(sound)), block)


def _span_samples(span: Span | None) -> tuple[int, int | None]:
    if span is None:
        return 0, None
    start, end = span
    if not 0 <= start < end:
        raise InvalidInputError(
            "The range must end after it starts.", {"range": ["start must be at least 0 and before end"]}
        )
    return round(start * CANONICAL_RATE), round(end * CANONICAL_RATE)


def _refuse_long(duration: Fraction | None, max_duration: Fraction | None) -> None:
    if duration is not None and max_duration is not None and duration > max_duration:
        raise TooLargeError(f"The sound is {clock(duration)} long; the limit is {clock(max_duration)}.")


def _watched(blocks: Iterator[Samples], sound: Sound, beat: Beat, last: int | None) -> Iterator[Samples]:
    """Tell `beat` about every second of sound."""
    expected = last or round((sound.promised or 0) * CANONICAL_RATE)
    position = told = 0
    for block in blocks:
        yield block
        position += len(block)
        if position - told >= CANONICAL_RATE:
            told = position
            beat(min(position / expected, 1.0) if expected else 0.0)


def _limited(blocks: Iterator[Samples], max_duration: Fraction | None) -> Iterator[Samples]:
    position = 0
    for block in blocks:
        position += len(block)
        if max_duration is not None and position > max_duration * CANONICAL_RATE:
            raise TooLargeError(f"The sound is longer than the limit of {clock(max_duration)}.")
        yield block


def _cut(blocks: Iterator[Samples], first: int, last: int | None) -> Iterator[Samples]:
    """Keep samples first <= i < last, and stop reading at the end of them."""
    position = 0
    for block in blocks:
        kept = block[max(first - position, 0) : None if last is None else max(last - position, 0)]
        if len(kept):
            yield kept
        position += len(block)
        if last is not None and position >= last:
            return
    if last is not None and position + SPAN_SLACK < last:
        length = clock(Fraction(position, CANONICAL_RATE))
        raise InvalidInputError(
            f"The range ends after the sound, which is {length} long.", {"range": ["end is after the sound"]}
        )
