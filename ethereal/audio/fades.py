"""How loud a piece is at each of its samples: its volume, and fades of equal power (a quarter of a sine)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ethereal.audio.pieces import Piece
from ethereal.audio.resample import Samples


def faded(samples: Samples, piece: Piece, position: int) -> Samples:
    """Apply volume and fades to samples that begin at `position` of the piece; the input is left alone.

    A fade of n samples goes from silence at the very end of the piece to full volume n samples inside it.
    """
    if piece.volume == 1.0 and not piece.fade_in and not piece.fade_out:
        return samples
    gain = np.full(len(samples), piece.volume)
    from_start = np.arange(position, position + len(samples))
    _fade(gain, from_start, piece.fade_in)
    _fade(gain, len(piece) - 1 - from_start, piece.fade_out)
    return samples * gain.astype(np.float32)[:, None]


def _fade(gain: NDArray[np.float64], distance: NDArray[np.int64], length: int) -> None:
    near = distance < length
    if near.any():
        gain[near] *= np.sin(np.pi / 2 * distance[near] / length)
