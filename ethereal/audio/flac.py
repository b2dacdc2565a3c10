"""Writes stereo sound as 24-bit FLAC, the same bytes for the same samples."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import TypeAlias

import av
from av.audio.frame import AudioFrame

from ethereal.audio.quantise import to_24_bits
from ethereal.audio.rate import CANONICAL_RATE
from ethereal.audio.resample import Samples
from ethereal.errors import OutOfDiskError, RenderError

WriteSamples: TypeAlias = Callable[[Samples], None]


@contextmanager
def open_flac(path: Path) -> Iterator[WriteSamples]:
    """Open a new FLAC file for stereo blocks at 48 kHz; samples beyond full scale are clipped.

    Raise OutOfDiskError when the disk fills up. Half-written files are the caller's to remove.
    """
    # bitexact leaves the library's version out of the file
    with (
        _translated_errors(),
        av.open(str(path), "w", format="flac", options={"fflags": "+bitexact"}) as container,
    ):
        stream = container.add_stream("flac", rate=CANONICAL_RATE, layout="stereo", format="s32")
        stream.codec_context.flags |= av.codec.context.Flags.bitexact
        stream.codec_context.options = {"compression_level": "5"}

        def write(samples: Samples) -> None:
            container.mux(stream.encode(_frame(samples)))

        yield write
        container.mux(stream.encode(None))


@contextmanager
def _translated_errors() -> Iterator[None]:
    try:
        yield
    except av.FFmpegError as error:
        if error.errno == errno.ENOSPC:
            raise OutOfDiskError("There is no room on the disk for the sound.") from error
        raise RenderError("The sound could not be written.") from error


def _frame(samples: Samples) -> AudioFrame:
    frame = AudioFrame.from_ndarray(to_24_bits(samples).reshape(1, -1), format="s32", layout="stereo")
    frame.sample_rate = CANONICAL_RATE
    frame.time_base = Fraction(1, CANONICAL_RATE)
    return frame
