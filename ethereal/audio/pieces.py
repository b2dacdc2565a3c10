"""The clips of a recipe in samples, and the name of the sound they make."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from ethereal.audio.recipe import seconds
from ethereal.jobs.request import EditRecipe

#: Raise it when the same recipe begins to sound different.
SOUND_VERSION = 1


@dataclass(frozen=True)
class Piece:
    """Samples `first <= i < last` of a source, which sound from sample `start` on; fades in samples."""

    clip_id: str
    source: str
    first: int
    last: int
    start: int
    volume: float
    fade_in: int
    fade_out: int

    def __len__(self) -> int:
        return self.last - self.first


def make_pieces(recipe: EditRecipe) -> tuple[Piece, ...]:
    """Turn the clips of a checked recipe into samples; neighbours in a source stay so to the sample."""
    pieces: list[Piece] = []
    start = 0
    for clip in recipe.clips:
        first, last, fade_in, fade_out = (
            round(seconds(time) * recipe.output_sample_rate)
            for time in (clip.start_time, clip.end_time, clip.fade_in, clip.fade_out)
        )
        pieces.append(
            Piece(clip.id, clip.source_asset_id, first, last, start, clip.volume, fade_in, fade_out)
        )
        start += last - first
    return tuple(pieces)


def preview_key_hash(recipe: EditRecipe, source_digests: Mapping[str, str]) -> str:
    """Name the sound of a recipe: equal for recipes that sound equal, whatever their clips are called.

    `source_digests` maps asset ids to the sha256 of their bytes.
    """
    wanted = recipe.wanted_loudness
    heard = {
        "version": SOUND_VERSION,
        "rate": recipe.output_sample_rate,
        "loudness": wanted and [wanted.target, wanted.true_peak],
        "pieces": [
            [
                source_digests[piece.source],
                piece.first,
                piece.last,
                piece.volume,
                piece.fade_in,
                piece.fade_out,
            ]
            for piece in make_pieces(recipe)
        ],
    }
    return hashlib.sha256(json.dumps(heard, sort_keys=True).encode()).hexdigest()[:16]
