"""Makes the sound of a recipe: one pass over the sources, joins exact to the sample, whole or not at all."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import repeat
from pathlib import Path
from typing import Literal

from ethereal.audio.encode import AAC, WAV_16, WAV_24, SoundForm, write_sound
from ethereal.audio.fill import fill_spool
from ethereal.audio.level import LoudnessResult, gain_to, is_reached, result_of
from ethereal.audio.meter import Level, measure_level
from ethereal.audio.mp3 import write_mp3
from ethereal.audio.pieces import make_pieces
from ethereal.audio.read import BLOCK, read_sound
from ethereal.audio.resample import Samples
from ethereal.audio.spool import Spool, open_spool
from ethereal.beat import Beat, no_beat
from ethereal.jobs.request import EditRecipe, Loudness
from ethereal.whole import sha256_of, whole_file

#: Rounding and coding raise peaks: so much room, in dB, is left for them at the first try and the next ones.
SPARE_ROOM = (0.02, 0.1, 0.3)


@dataclass(frozen=True)
class EditResult:
    """The file that was made."""

    path: Path
    sample_rate: int
    sample_count: int
    size: int
    sha256: str
    loudness: LoudnessResult | None

    @property
    def duration(self) -> Fraction:
        """Length in seconds."""
        return Fraction(self.sample_count, self.sample_rate)


def render_recipe(
    recipe: EditRecipe,
    sources: Mapping[str, Path],
    output: Path,
    *,
    preview: bool = False,
    wav_bits: Literal[16, 24] = 24,
    threads: int | None = None,
    beat: Beat = no_beat,
) -> EditResult:
    """Write a checked recipe's sound at `output`: MP3 for a preview, else the format that it asks for.

    `sources` maps asset ids to files; `threads` encode a preview (None: one for each core). The loudness that
    is returned was measured in the saved file; for a preview it is that of what went into the encoder. Raise
    UnreadableAudioError for a damaged source, InvalidInputError for a clip that its source is too short for.
    """
    pieces, rate, wanted = make_pieces(recipe), recipe.output_sample_rate, recipe.wanted_loudness
    length = sum(len(piece) for piece in pieces)
    with whole_file(output) as unfinished, open_spool(unfinished.parent, rate, length) as spool:
        work = _Work(spool, fill_spool(pieces, sources, spool), unfinished, _rising(beat))
        if preview:
            loudness = _preview(work, wanted, threads or os.cpu_count() or 1)
        else:
            form = AAC if recipe.output_format == "aac" else {16: WAV_16, 24: WAV_24}[wav_bits]
            loudness = _save(work, wanted, form)
        digest, size = sha256_of(unfinished), unfinished.stat().st_size
        beat(1.0)
    return EditResult(output, rate, length, size, digest, loudness)


@dataclass(frozen=True)
class _Work:
    """Sound on its way from a spool that is being filled to a file; `beat` is told how far it is."""

    spool: Spool
    filled: Iterator[int]
    output: Path
    beat: Beat

    def part(self, start: float, end: float) -> Beat:
        """The beat of a part of the work."""
        return lambda fraction: self.beat(start + (end - start) * fraction)

    def fill(self, end: float) -> Iterator[int]:
        """Tell up to which sample the spool is filled, and the beat, which is at `end` when all is."""
        for count in self.filled:
            self.beat(end * count / self.spool.sample_count)
            yield count

    def watched(self, blocks: Iterable[Samples], start: float, end: float) -> Iterator[Samples]:
        position, beat = 0, self.part(start, end)
        for block in blocks:
            beat(min(position / self.spool.sample_count, 1.0))
            yield block
            position += len(block)

    def measured(self, start: float, end: float, blocks: Iterable[Samples]) -> Level:
        return measure_level(self.watched(blocks, start, end), self.spool.rate)

    def filled_and_measured(self) -> Level:
        deque(self.fill(0.4), maxlen=0)
        return self.measured(0.4, 0.6, self.spool.blocks(BLOCK))


def _rising(beat: Beat) -> Beat:
    """Filling and encoding go on at once, each with its own progress: the beat hears the higher one."""
    highest = 0.0

    def tell(fraction: float) -> None:
        nonlocal highest
        highest = max(highest, fraction)
        beat(highest)

    return tell


def _preview(work: _Work, wanted: Loudness | None, threads: int) -> LoudnessResult | None:
    if wanted is None:
        write_mp3(
            work.spool, work.fill(0.4), work.output, gain=1.0, threads=threads, beat=work.part(0.0, 1.0)
        )
        return None
    level = work.filled_and_measured()
    gain = gain_to(wanted, level, SPARE_ROOM[0])
    all_there = repeat(work.spool.sample_count, 1)
    beat = work.part(0.6, 1.0)
    write_mp3(work.spool, all_there, work.output, gain=gain.factor, threads=threads, beat=beat)
    return result_of(gain, level.raised(gain.decibels))


def _save(work: _Work, wanted: Loudness | None, form: SoundForm) -> LoudnessResult | None:
    if wanted is None:
        deque(work.fill(0.5), maxlen=0)
        write_sound(work.watched(work.spool.blocks(BLOCK), 0.5, 1.0), work.output, form, work.spool.rate)
        return None
    level, done = work.filled_and_measured(), 0.6
    for spare in SPARE_ROOM:
        gain, half = gain_to(wanted, level, spare), (1 - done) / 4
        louder = (block * gain.factor for block in work.spool.blocks(BLOCK))
        write_sound(work.watched(louder, done, done + half), work.output, form, work.spool.rate)
        done += half
        result = work.measured(done, done + half, read_sound(work.output, work.spool.rate))
        done += half
        if is_reached(wanted, result, gain):
            break
        level = result.raised(-gain.decibels)  # as it is heard once it was coded
    return result_of(gain, result)
