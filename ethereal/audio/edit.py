"""Makes the sound of a recipe: one pass over the sources, joins exact to the sample, whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

from ethereal.audio.ahead import ahead
from ethereal.audio.encode import AAC, WAV_16, WAV_24, SoundForm, write_sound
from ethereal.audio.fill import fill_spool
from ethereal.audio.level import LoudnessResult, gain_to, is_reached, result_of
from ethereal.audio.meter import measure_level
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
    beat: Beat = no_beat,
) -> EditResult:
    """Write a checked recipe's sound at `output`: MP3 for a preview, else the format that it asks for.

    `sources` maps asset ids to files. The loudness that is returned was measured in the saved file; for a
    preview it is that of what went into the encoder. Raise UnreadableAudioError for a damaged source,
    InvalidInputError for a clip that its source is too short for.
    """
    pieces, rate, wanted = make_pieces(recipe), recipe.output_sample_rate, recipe.wanted_loudness
    length = sum(len(piece) for piece in pieces)
    with (
        whole_file(output) as unfinished,
        open_spool(unfinished.parent, rate, length) as spool,
        closing(ahead(fill_spool(pieces, sources, spool))) as filled,
    ):
        work = _Work(spool, filled, unfinished, beat)
        if preview:
            loudness = _preview(work, wanted)
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

    def as_filled(self, end: float) -> Iterator[Samples]:
        """Yield the sound as soon as it is there; the beat is at `end` when all of it was taken."""
        filled = position = 0

        def tell() -> None:
            self.beat(end * (filled + position) / (2 * self.spool.sample_count))

        def watched_fill() -> Iterator[int]:
            nonlocal filled
            for filled in self.filled:
                tell()
                yield filled

        for block in self.spool.blocks(BLOCK, watched_fill()):
            tell()
            yield block
            position += len(block)

    def again(self, start: float, end: float, gain: float = 1.0) -> Iterator[Samples]:
        """Yield the sound, which is there, once more and louder."""
        return self.watched((block * gain for block in self.spool.blocks(BLOCK)), start, end)

    def watched(self, blocks: Iterable[Samples], start: float, end: float) -> Iterator[Samples]:
        position = 0
        for block in blocks:
            self.beat(start + (end - start) * min(position / self.spool.sample_count, 1.0))
            yield block
            position += len(block)


def _preview(work: _Work, wanted: Loudness | None) -> LoudnessResult | None:
    if wanted is None:
        write_mp3(work.as_filled(1.0), work.output, work.spool.rate)
        return None
    level = measure_level(work.as_filled(0.4), work.spool.rate)
    gain = gain_to(wanted, level, SPARE_ROOM[0])
    write_mp3(work.again(0.4, 1.0, gain.factor), work.output, work.spool.rate)
    return result_of(gain, level.raised(gain.decibels))


def _save(work: _Work, wanted: Loudness | None, form: SoundForm) -> LoudnessResult | None:
    if wanted is None:
        write_sound(work.as_filled(1.0), work.output, form, work.spool.rate)
        return None
    level, done = measure_level(work.as_filled(0.5), work.spool.rate), 0.5
    for spare in SPARE_ROOM:
        gain, half = gain_to(wanted, level, spare), (1 - done) / 4
        louder = work.again(done, done + half, gain.factor)
        write_sound(louder, work.output, form, work.spool.rate)
        written = work.watched(read_sound(work.output, work.spool.rate), done + half, done + 2 * half)
        result, done = measure_level(written, work.spool.rate), done + 2 * half
        if is_reached(wanted, result, gain):
            break
        level = result.raised(-gain.decibels)  # as it is heard once it was coded
    return result_of(gain, result)
