"""The common forms of sound files, written here, and a sweep to hear whether they are read in time."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from ethereal.audio.canonical import read_blocks

SECONDS = 2


@dataclass(frozen=True)
class Form:
    """A way of writing sound: how it is encoded and by how many samples at 48 kHz it may be longer."""

    name: str
    rate: int
    codec: str
    sample_format: str
    layout: str = "stereo"
    container: str | None = None
    container_options: dict[str, str] = field(default_factory=dict)
    picture_seconds: int = 0
    padding: int = 0

    @property
    def channels(self) -> int:
        return {"mono": 1, "stereo": 2, "5.1": 6}[self.layout]


EXACT = [
    Form("song.wav", 48_000, "pcm_s16le", "s16"),
    Form("deep.wav", 48_000, "pcm_s24le", "s32"),
    Form("song.flac", 48_000, "flac", "s16"),
    Form("film.mov", 48_000, "pcm_s16le", "s16", picture_seconds=2),
    Form("film.mkv", 48_000, "flac", "s16", picture_seconds=2),
]
RESAMPLED = [
    Form("telephone.wav", 8_000, "pcm_s16le", "s16", "mono"),
    Form("cd.flac", 44_100, "flac", "s16"),
    Form("studio.wav", 192_000, "pcm_f32le", "flt"),
    Form("apple.m4a", 44_100, "alac", "s16p"),
]
LOSSY = [
    Form("song.mp3", 44_100, "libmp3lame", "s16p"),
    Form("voice.mp3", 22_050, "libmp3lame", "s16p", "mono"),
    Form("song.m4a", 44_100, "aac", "fltp", padding=1_200),
    Form("song.opus", 48_000, "libopus", "s16", container="ogg"),
    Form("recorded.webm", 48_000, "libopus", "s16", container="webm", picture_seconds=0),
    Form("film.mp4", 44_100, "aac", "fltp", picture_seconds=2, padding=1_200),
]
FORMS = [*EXACT, *RESAMPLED, *LOSSY]


def swept(rate: int, seconds: float = SECONDS) -> NDArray[np.float64]:
    """A rising tone: its shape fits itself at one place only. Shape (samples,), to 2 kHz."""
    t = np.arange(round(rate * seconds)) / rate
    return 0.4 * np.sin(2 * np.pi * (200 * t + 450 * t * t))


def write_sound(path: Path, form: Form, samples: NDArray[np.float64]) -> Path:
    """Write `samples` of shape (samples, channels) with PyAV."""
    with av.open(str(path), "w", format=form.container, options=form.container_options) as container:
        picture = add_picture(container) if form.picture_seconds else None
        stream = container.add_stream(
            form.codec, rate=form.rate, layout=form.layout, format=form.sample_format
        )
        if picture:
            write_picture(container, picture, form.picture_seconds)
        for start in range(0, len(samples), 4096):
            frame = _frame(samples[start : start + 4096], form)
            frame.pts = start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def add_picture(container: av.container.OutputContainer) -> av.VideoStream:
    stream = container.add_stream("mpeg4", rate=10)
    stream.width = stream.height = 64
    stream.pix_fmt = "yuv420p"
    return stream


def write_picture(container: av.container.OutputContainer, stream: av.VideoStream, seconds: int) -> None:
    for index in range(10 * seconds):
        frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), index, np.uint8), format="rgb24")
        frame.pts = index
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def _frame(block: NDArray[np.float64], form: Form) -> av.AudioFrame:
    sample_format = form.sample_format.removesuffix("p")
    scaled = {
        "s16": lambda: np.rint(block * 32768).astype(np.int16),
        "s32": lambda: np.rint(block * 2**23).astype(np.int32) << 8,
        "flt": lambda: block.astype(np.float32),
    }[sample_format]()
    planes = scaled.T if form.sample_format.endswith("p") else scaled.reshape(1, -1)
    frame = av.AudioFrame.from_ndarray(
        np.ascontiguousarray(planes), format=form.sample_format, layout=form.layout
    )
    frame.sample_rate = form.rate
    frame.time_base = Fraction(1, form.rate)
    return frame


def write_sweep(path: Path, form: Form) -> Path:
    return write_sound(path, form, np.tile(swept(form.rate)[:, None], form.channels))


def heard(path: Path) -> NDArray[np.float32]:
    return np.concatenate(list(read_blocks(path)))


def lag(sound: NDArray[np.float32], expected: NDArray[np.float64]) -> int:
    """By how many samples `sound` comes later than `expected`."""
    size = len(sound) + len(expected)
    spectrum = np.fft.rfft(sound, size) * np.conj(np.fft.rfft(expected, size))
    peak = int(np.argmax(np.fft.irfft(spectrum, size)))
    return peak if peak < size // 2 else peak - size
