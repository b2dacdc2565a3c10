"""The sound of the video: AAC, encoded once, exactly as long as the picture."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import chain, repeat
from pathlib import Path

import numpy as np
from av.audio.frame import AudioFrame
from numpy.typing import NDArray

from ethereal.audio.canonical import read_blocks
from ethereal.audio.resample import CANONICAL_RATE
from ethereal.beat import Beat, no_beat
from ethereal.render.container import open_mp4

AAC_FRAME = 1024  # samples in one AAC frame, and what the encoder puts before the first
_BLOCK = 64 * AAC_FRAME


def sample_count_for(frame_count: int, fps: Fraction) -> int:
    """Return the samples that sound while `frame_count` frames show."""
    return round(frame_count / fps * CANONICAL_RATE)


def make_audio_track(
    canonical: Path, output: Path, *, sample_count: int, bit_rate: int, beat: Beat = no_beat
) -> None:
    """Encode the first `sample_count` samples of `canonical`, or all and silence after them, as AAC in MP4.

    The encoder puts a frame of its own first; an edit list hides it, so sample n plays at n / 48000 s.
    """
    with open_mp4(output) as container:
        stream = container.add_stream("aac", rate=CANONICAL_RATE, options={"flags": "+bitexact"})
        stream.bit_rate, stream.layout = bit_rate, "stereo"
        done = 0
        for samples in _exactly(read_blocks(canonical, _BLOCK), sample_count):
            for frame in _frames(samples, done):
                container.mux(stream.encode(frame))
            done += len(samples)
            beat(done / sample_count)
        container.mux(stream.encode(None))


def _exactly(blocks: Iterator[NDArray[np.float32]], sample_count: int) -> Iterator[NDArray[np.float32]]:
    blocks = chain(blocks, repeat(np.zeros((0, 2), np.float32)))
    left = sample_count
    while left > 0:
        block = next(blocks)
        yield np.pad(block, ((0, _BLOCK - len(block)), (0, 0)))[:left]
        left -= _BLOCK


def _frames(samples: NDArray[np.float32], position: int) -> Iterator[AudioFrame]:
    for start in range(0, len(samples), AAC_FRAME):
        planes = np.ascontiguousarray(samples[start : start + AAC_FRAME].T)
        frame = AudioFrame.from_ndarray(planes, "fltp", "stereo")
        frame.sample_rate, frame.time_base = CANONICAL_RATE, Fraction(1, CANONICAL_RATE)
        frame.pts = position + start
        yield frame
