"""Sounds for tests, made here: short, loud where something should be seen, equal on every run."""

from __future__ import annotations

import wave
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av import AudioFrame, VideoFrame


def write_beats(path: Path, seconds: float, *, rate: int = 48_000, per_second: float = 2.0) -> Path:
    """A WAV of low drum hits over a soft chord."""
    time = np.arange(round(seconds * rate)) / rate
    since = time % (1 / per_second)
    drum = np.sin(2 * np.pi * 55 * since) * np.exp(-since * 9)
    chord = sum(np.sin(2 * np.pi * note * time) for note in (220.0, 277.2, 329.6)) / 3
    mono = 0.7 * drum + 0.15 * chord
    samples = (np.stack([mono, mono], axis=1) * 32767).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())
    return path


def write_video(path: Path, picture: str, sound: str, seconds: float = 1.0, rate: int = 48_000) -> Path:
    """Grey pictures with a tone, in these codecs."""
    time = np.arange(round(seconds * rate)) / rate
    tone = np.tile(np.sin(2 * np.pi * 440 * time).astype(np.float32) / 2, (2, 1))
    with av.open(str(path), "w") as container:
        video = container.add_stream(picture, rate=10)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        audio = container.add_stream(sound, rate=rate)
        audio.codec_context.layout = "stereo"
        for number in range(round(seconds * 10)):
            grey = VideoFrame.from_ndarray(np.full((48, 64, 3), number * 20, np.uint8))
            grey.pts = number
            container.mux(video.encode(grey))
        resampler = av.AudioResampler(audio.codec_context.format, "stereo", rate)
        frame = AudioFrame.from_ndarray(tone, format="fltp", layout="stereo")
        frame.sample_rate, frame.time_base, frame.pts = rate, Fraction(1, rate), 0
        for resampled in resampler.resample(frame):
            container.mux(audio.encode(resampled))
        container.mux(video.encode(None))
        container.mux(audio.encode(None))
    return path
