"""Turns decoded frames of any rate, layout and sample format into stereo blocks of one rate."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeAlias

import av
import numpy as np
from av import AudioFifo, AudioResampler
from av.audio.frame import AudioFrame
from numpy.typing import NDArray

from ethereal.audio.rate import CANONICAL_RATE
from ethereal.errors import UnreadableAudioError

_JOINED = 16_384  # samples
_Shape: TypeAlias = tuple[str, str, int]

Samples = NDArray[np.float32]
"""Stereo sound, shape (samples, 2), full scale at 1."""


def resample(frames: Iterable[AudioFrame], rate: int = CANONICAL_RATE) -> Iterator[Samples]:
    """Yield stereo blocks at `rate`: mono goes to both sides at full level, 5.1 and the like are mixed down.

    Raise UnreadableAudioError for a layout of channels that cannot be mixed.
    """
    resampler: AudioResampler | None = None
    shape: _Shape | None = None
    for frame in _joined(frames):
        if _shape_of(frame) != shape:  # a radio recording may change its rate half-way
            yield from _drain(resampler)
            resampler, shape = _make_resampler(frame, rate), _shape_of(frame)
        yield from _pushed(resampler, frame)
    yield from _drain(resampler)


def in_blocks(pieces: Iterable[Samples], size: int) -> Iterator[Samples]:
    """Yield the same samples in blocks of `size`, the last one shorter."""
    kept: list[Samples] = []
    held = 0
    for samples in pieces:
        kept.append(samples)
        held += len(samples)
        if held >= size:
            joined = np.concatenate(kept)
            whole = held - held % size
            yield from np.split(joined[:whole], whole // size)
            kept, held = [joined[whole:]], held % size
    if held:
        yield np.concatenate(kept)


def _joined(frames: Iterable[AudioFrame]) -> Iterator[AudioFrame]:
    """Join neighbours of one shape: short ones cost more than their sound."""
    fifo, shape = AudioFifo(), None
    for frame in frames:
        if _shape_of(frame) != shape:
            yield from _rest(fifo)
            fifo, shape = AudioFifo(), _shape_of(frame)
        frame.pts = None
        fifo.write(frame)
        if fifo.samples >= _JOINED:
            yield from _rest(fifo)
    yield from _rest(fifo)


def _rest(fifo: AudioFifo) -> Iterator[AudioFrame]:
    if fifo.samples and (joined := fifo.read()):
        joined.pts = None
        yield joined


def _shape_of(frame: AudioFrame) -> _Shape:
    return (frame.format.name, frame.layout.name, frame.sample_rate)


def _make_resampler(frame: AudioFrame, rate: int) -> AudioResampler:
    # swresample would put mono 3 dB lower on each side, so mono is doubled in _stereo.
    layout = "mono" if frame.layout.nb_channels == 1 else "stereo"
    options = {"rematrix_maxval": "1.0", "internal_sample_fmt": "fltp"}
    return AudioResampler(format="flt", layout=layout, rate=rate, options=options)


def _drain(resampler: AudioResampler | None) -> Iterator[Samples]:
    if resampler is not None:
        yield from _pushed(resampler, None)


def _pushed(resampler: AudioResampler | None, frame: AudioFrame | None) -> Iterator[Samples]:
    if resampler is None:
        return
    try:
        frames = resampler.resample(frame)
    except (av.FFmpegError, ValueError) as error:
        raise UnreadableAudioError("The channels of this sound cannot be mixed to stereo.") from error
    for resampled in frames:
        if resampled.samples:
            yield _stereo(resampled)


def _stereo(frame: AudioFrame) -> Samples:
    samples = frame.to_ndarray().reshape(-1, frame.layout.nb_channels).astype(np.float32, copy=False)
    if not np.isfinite(samples).all():  # float files may hold anything
        samples = np.nan_to_num(samples, nan=0.0, posinf=1.0, neginf=-1.0)
    return np.repeat(samples, 2, axis=1) if samples.shape[1] == 1 else samples
