"""Reads any sound as stereo blocks of one rate."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

from ethereal.audio.container import open_sound
from ethereal.audio.decode import decode_frames
from ethereal.audio.resample import Samples, in_blocks, resample

BLOCK = 65_536


def read_sound(path: Path, rate: int | None = None, block: int = BLOCK) -> Generator[Samples]:
    """Yield the sound of `path` at `rate` (None: its own) in blocks of one size, the last one shorter.

    Raise UnreadableAudioError where the file is damaged. Close the generator to stop before the end.
    """
    with open_sound(path) as sound:
        yield from in_blocks(resample(decode_frames(sound), rate or sound.stream.sample_rate), block)
