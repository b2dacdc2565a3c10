"""Sounds for tests, made here: short, loud where something should be seen, equal on every run."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np


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
