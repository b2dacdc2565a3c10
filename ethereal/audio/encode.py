"""Writes stereo sound in the forms that people keep: WAV, and AAC in m4a."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.codec.context import Flags
from av.container import OutputContainer
from numpy.typing import NDArray

from ethereal.audio.quantise import to_16_bits, to_24_bits
from ethereal.audio.resample import Samples
from ethereal.errors import OutOfDiskError, RenderError


@dataclass(frozen=True)
class SoundForm:
    """How sound is written; `bit_rate` in bits a second for the forms that leave something out."""

    container: str
    codec: str
    sample_format: str
    bit_rate: int | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    container_options: Mapping[str, str] = field(default_factory=dict)


WAV_16 = SoundForm("wav", "pcm_s16le", "s16")
WAV_24 = SoundForm("wav", "pcm_s24le", "s32")
AAC = SoundForm("ipod", "aac", "fltp", 256_000, container_options={"movflags": "+faststart"})


def write_sound(blocks: Iterable[Samples], output: Path, form: SoundForm, rate: int) -> None:
    """Encode blocks one after the other. Raise OutOfDiskError when the disk fills up."""
    with _open_file(output, form, rate) as (container, stream):
        position = 0
        for block in blocks:
            container.mux(stream.encode(_make_frame(block, form, rate, position)))
            position += len(block)
        container.mux(stream.encode(None))


@contextmanager
def _open_file(output: Path, form: SoundForm, rate: int) -> Iterator[tuple[OutputContainer, AudioStream]]:
    """Open a new file with one track; half-written files are the caller's to remove."""
    # bitexact leaves the library's version out of the file
    options = {"fflags": "+bitexact", **form.container_options}
    try:
        with av.open(str(output), "w", format=form.container, options=options) as container:
            stream = cast(AudioStream, container.add_stream(form.codec, rate=rate))
            _set_up(stream.codec_context, form, rate)
            yield container, stream
    except av.FFmpegError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise OutOfDiskError("There is no room on the disk for the sound.") from error
        raise RenderError("The sound could not be written.") from error


def _make_frame(block: Samples, form: SoundForm, rate: int, position: int) -> AudioFrame:
    """Round a block as its form wants it; `position` is that of its first sample."""
    frame = AudioFrame.from_ndarray(_arranged(block, form), format=form.sample_format, layout="stereo")
    frame.sample_rate, frame.time_base, frame.pts = rate, Fraction(1, rate), position
    return frame


def _arranged(block: Samples, form: SoundForm) -> NDArray[Any]:
    if form.sample_format == "s16":
        return to_16_bits(block).reshape(1, -1)
    if form.sample_format == "s32":
        return to_24_bits(block).reshape(1, -1)
    return np.ascontiguousarray(np.clip(block, -1.0, 1.0).T)


def _set_up(encoder: AudioCodecContext, form: SoundForm, rate: int) -> None:
    encoder.sample_rate, encoder.layout, encoder.format = rate, "stereo", form.sample_format
    encoder.time_base = Fraction(1, rate)
    encoder.options = dict(form.options)
    encoder.flags |= Flags.bitexact
    if form.bit_rate:
        encoder.bit_rate = form.bit_rate
