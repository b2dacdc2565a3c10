"""The sound of the video: encoded once, exactly as long as the picture."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import chain, repeat
from pathlib import Path
from typing import cast

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from numpy.typing import NDArray

from ethereal.audio.canonical import read_blocks
from ethereal.audio.rate import CANONICAL_RATE
from ethereal.beat import Beat, no_beat
from ethereal.render.container import open_muxer
from ethereal.render.sounds import AAC, Sound

_FRAMES_PER_BLOCK = 64
_FULL_SCALE = 1 << 23  # of 24 bits


def sample_count_for(frame_count: int, fps: Fraction) -> int:
    """Return the samples that sound while `frame_count` frames show."""
    return round(frame_count / fps * CANONICAL_RATE)


def make_audio_track(
    canonical: Path,
    output: Path,
    *,
    sample_count: int,
    bit_rate: int,
    sound: Sound = AAC,
    beat: Beat = no_beat,
) -> None:
    """Encode the first `sample_count` samples of `canonical`, or all and silence after them, as `sound`.

    What a lossy encoder puts before the first is hidden by the file, so sample n plays at n / 48000 s.
    """
    with open_muxer(output, sound.wrapper) as container:
        added = container.add_stream(sound.encoder, rate=CANONICAL_RATE, options={"flags": "+bitexact"})
        stream = cast(AudioStream, added)
        stream.layout = "stereo"
        if sound.is_lossy:
            stream.bit_rate = bit_rate
        done, block = 0, _FRAMES_PER_BLOCK * sound.frame
        for samples in _exactly(read_blocks(canonical, block), sample_count, block):
            for frame in _frames(samples, done, sound):
                container.mux(stream.encode(frame))
            done += len(samples)
            beat(done / sample_count)
        container.mux(stream.encode(None))


def _exactly(
    blocks: Iterator[NDArray[np.float32]], sample_count: int, size: int
) -> Iterator[NDArray[np.float32]]:
    blocks = chain(blocks, repeat(np.zeros((0, 2), np.float32)))
    left = sample_count
    while left > 0:
        block = next(blocks)
        yield np.pad(block, ((0, size - len(block)), (0, 0)))[:left]
        left -= size


def _frames(samples: NDArray[np.float32], position: int, sound: Sound) -> Iterator[AudioFrame]:
    for start in range(0, len(samples), sound.frame):
        part = _LAYOUTS[sound.sample_format](samples[start : start + sound.frame])
        frame = AudioFrame.from_ndarray(np.ascontiguousarray(part), sound.sample_format, "stereo")
        frame.sample_rate, frame.time_base = CANONICAL_RATE, Fraction(1, CANONICAL_RATE)
        frame.pts = position + start
        yield frame


def _to_integers(samples: NDArray[np.float32]) -> NDArray[np.int32]:
    """The 24 bits that canonical audio has, at the top of 32."""
    steps = np.clip(np.rint(samples.astype(np.float64) * _FULL_SCALE), -_FULL_SCALE, _FULL_SCALE - 1)
    return (steps.astype(np.int32) << 8).reshape(1, -1)


_LAYOUTS = {
    "fltp": lambda samples: samples.T,
    "flt": lambda samples: samples.reshape(1, -1),
    "s32": _to_integers,
}
