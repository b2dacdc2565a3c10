"""Puts the pieces of a recipe where they sound, reading each source once from its start."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from fractions import Fraction
from pathlib import Path

from ethereal.audio.decode import clock
from ethereal.audio.fades import faded
from ethereal.audio.pieces import Piece
from ethereal.audio.read import read_sound
from ethereal.audio.resample import Samples
from ethereal.audio.spool import Spool
from ethereal.errors import InvalidInputError

#: Headers may promise so much more sound, in seconds, than there is: silence takes its place.
LONGEST_GAP = Fraction(1, 10)


def fill_spool(pieces: Sequence[Piece], sources: Mapping[str, Path], spool: Spool) -> Generator[int]:
    """Fill the spool, and tell again and again up to which sample there is no gap left.

    Raise UnreadableAudioError for a damaged source, InvalidInputError for a piece that its source lacks.
    """
    written = [0] * len(pieces)
    for source in dict.fromkeys(piece.source for piece in pieces):
        wanted = [index for index, piece in enumerate(pieces) if piece.source == source]
        last = max(pieces[index].last for index in wanted)
        position = 0
        with closing(read_sound(sources[source], spool.rate)) as blocks:
            for block in blocks:
                for index in wanted:
                    written[index] += _write_part(block, position, pieces[index], spool)
                position += len(block)
                yield _filled(pieces, written)
                if position >= last:
                    break
        for index in wanted:
            _ensure_there(pieces[index], position, spool.rate)
            written[index] = len(pieces[index])
    yield spool.sample_count


def _write_part(block: Samples, position: int, piece: Piece, spool: Spool) -> int:
    """Write what a block from `position` of the source on holds of a piece; return how much that is."""
    begin, end = max(position, piece.first), min(position + len(block), piece.last)
    if begin >= end:
        return 0
    part = faded(block[begin - position : end - position], piece, begin - piece.first)
    spool.write(piece.start + begin - piece.first, part)
    return end - begin


def _filled(pieces: Sequence[Piece], written: Sequence[int]) -> int:
    for piece, count in zip(pieces, written, strict=True):
        if count < len(piece):
            return piece.start + count
    return pieces[-1].start + len(pieces[-1])


def _ensure_there(piece: Piece, length: int, rate: int) -> None:
    if piece.last - length > LONGEST_GAP * rate:
        end, source_end = clock(Fraction(piece.last, rate)), clock(Fraction(length, rate))
        message = f"it ends at {end}, but its source ends at {source_end}"
        raise InvalidInputError(
            f"This recipe cannot be followed: {piece.clip_id}: {message}.", {piece.clip_id: [message]}
        )
