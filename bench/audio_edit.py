"""What a recipe of 50 clips from half an hour of sound costs: `python bench/audio_edit.py`."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import numpy as np

from ethereal.audio.edit import render_recipe
from ethereal.audio.encode import MP3, WAV_16, write_sound
from ethereal.audio.peaks import make_peaks
from ethereal.audio.recipe import read_recipe
from ethereal.audio.resample import Samples

RATE = 44_100
MINUTES = 30
ASSET = str(UUID(int=1))


def music(minutes: int) -> Iterator[Samples]:
    """Drum, hat and a chord, a second at a time."""
    time_ = np.arange(RATE) / RATE
    drum = 0.5 * np.exp(-(time_ % 0.5) * 12) * np.sin(2 * np.pi * 60 * (time_ % 0.5))
    chord = sum(0.06 * np.sin(2 * np.pi * note * time_) for note in (220, 277, 330, 440, 554))
    dice = np.random.default_rng(1)
    for _ in range(minutes * 60):
        hat = dice.normal(0, 0.15, (RATE, 2)) * np.exp(-(time_ % 0.25) * 40)[:, None]
        yield (np.column_stack([drum + chord, drum + 0.8 * chord]) + hat).astype(np.float32)


def run(name: str, source: Path, output: Path, *, preview: bool, **fields: object) -> None:
    step = MINUTES * 60 / 50
    clips = [
        {
            "id": str(index),
            "sourceAssetId": ASSET,
            "startTime": index * step,
            "endTime": (index + 1) * step,
            "volume": 0.9,
            "fadeIn": 0.5,
            "fadeOut": 0.5,
        }
        for index in range(50)
    ]
    recipe = read_recipe({"version": 1, "assetId": ASSET, "clips": clips} | fields)
    started, used = time.monotonic(), time.process_time()
    result = render_recipe(recipe, {ASSET: source}, output, preview=preview)
    report(name, started, used, f"{result.size / 2**20:.0f} MiB {result.loudness or ''}")


def report(name: str, started: float, used: float, more: str = "") -> None:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    wall, cpu = time.monotonic() - started, time.process_time() - used
    sys.stdout.write(f"{name:32} {wall:6.1f} s, {cpu:6.1f} s of CPU, at most {peak} MiB  {more}\n")


def main() -> None:
    with TemporaryDirectory() as folder:
        wav, mp3 = Path(folder, "source.wav"), Path(folder, "source.mp3")
        write_sound(music(MINUTES), wav, WAV_16, RATE)
        write_sound(music(MINUTES), mp3, MP3, RATE)
        run("preview", wav, Path(folder, "a.mp3"), preview=True)
        run("preview of an MP3", mp3, Path(folder, "a.mp3"), preview=True)
        run("save as WAV", wav, Path(folder, "a.wav"), preview=False)
        run("save as WAV, -14 LUFS", wav, Path(folder, "a.wav"), preview=False, normalize=True)
        run(
            "save as AAC, -14 LUFS",
            wav,
            Path(folder, "a.m4a"),
            preview=False,
            normalize=True,
            outputFormat="aac",
        )
        started, used = time.monotonic(), time.process_time()
        make_peaks(wav)
        report("peaks", started, used)


if __name__ == "__main__":
    main()
