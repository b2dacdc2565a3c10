"""What a recipe of 50 clips costs, and how much memory it takes, whatever its length.

    python bench/audio_edit.py [MINUTES ...]       (5 and 30), into bench/results/audio_edit.json

Each measurement has a process of its own, so that its peak of memory is its own.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

import numpy as np

from ethereal.audio.edit import render_recipe
from ethereal.audio.encode import WAV_16, write_sound
from ethereal.audio.mp3 import write_mp3
from ethereal.audio.peaks import make_peaks
from ethereal.audio.recipe import read_recipe
from ethereal.audio.resample import Samples
from ethereal.bench.machine import describe_machine
from ethereal.bench.usage import own_peak

RATE = 44_100
CLIPS = 50
MINUTES = (5, 30)
ASSET = str(UUID(int=1))
RESULTS = Path(__file__).parent / "results" / "audio_edit.json"

#: The source, what is made, and what else the recipe says.
EDITS: Mapping[str, tuple[str, str, Mapping[str, Any]]] = {
    "preview": ("source.wav", "preview.mp3", {}),
    "preview of an MP3": ("source.mp3", "preview.mp3", {}),
    "preview at -14 LUFS": ("source.wav", "preview.mp3", {"normalize": True}),
    "preview of an MP3 at -14 LUFS": ("source.mp3", "preview.mp3", {"normalize": True}),
    "save as WAV": ("source.wav", "prepared.wav", {}),
    "save as WAV at -14 LUFS": ("source.wav", "prepared.wav", {"normalize": True}),
    "save as AAC at -14 LUFS": ("source.wav", "prepared.m4a", {"normalize": True, "outputFormat": "aac"}),
}


@dataclass(frozen=True)
class Cost:
    """Wall time and time of all cores in seconds; the highest memory of the process in MiB."""

    minutes: int
    work: str
    wall_seconds: float
    cpu_seconds: float
    peak_mib: int
    output_mib: float


def main() -> None:
    costs: list[Cost] = []
    for minutes in map(int, sys.argv[1:] or MINUTES):
        with TemporaryDirectory() as folder:
            _apart(_write_sources, Path(folder), minutes)
            for work in (*EDITS, "peaks"):
                costs.append(_apart(_measured, Path(folder), minutes, work))
                _tell(costs[-1])
    machine = asdict(describe_machine(os.cpu_count() or 1))
    taken = datetime.now(UTC).isoformat(timespec="seconds")
    table = {"taken": taken, "machine": machine, "clips": CLIPS, "costs": [asdict(cost) for cost in costs]}
    RESULTS.write_text(json.dumps(table, indent=1) + "\n")


def music(minutes: int) -> Iterator[Samples]:
    """Drum, hat and a chord, a second at a time."""
    time_ = np.arange(RATE) / RATE
    drum = 0.5 * np.exp(-(time_ % 0.5) * 12) * np.sin(2 * np.pi * 60 * (time_ % 0.5))
    chord = sum(0.06 * np.sin(2 * np.pi * note * time_) for note in (220, 277, 330, 440, 554))
    dice = np.random.default_rng(1)
    for _ in range(minutes * 60):
        hat = dice.normal(0, 0.15, (RATE, 2)) * np.exp(-(time_ % 0.25) * 40)[:, None]
        yield (np.column_stack([drum + chord, drum + 0.8 * chord]) + hat).astype(np.float32)


def _write_sources(folder: Path, minutes: int) -> None:
    write_sound(music(minutes), folder / "source.wav", WAV_16, RATE)
    write_mp3(music(minutes), folder / "source.mp3", RATE)


def _measured(folder: Path, minutes: int, work: str) -> Cost:
    started, used = time.monotonic(), time.process_time()
    made = _do(folder, minutes, work)
    wall, cpu = time.monotonic() - started, time.process_time() - used
    peak, size = own_peak() >> 20, made.stat().st_size / 2**20 if made else 0.0
    return Cost(minutes, work, round(wall, 2), round(cpu, 2), peak, round(size, 1))


def _do(folder: Path, minutes: int, work: str) -> Path | None:
    if work == "peaks":
        make_peaks(folder / "source.wav")
        return None
    source, name, fields = EDITS[work]
    recipe = read_recipe({"version": 1, "assetId": ASSET, "clips": _clips(minutes)} | fields)
    is_preview = name.endswith(".mp3")
    return render_recipe(recipe, {ASSET: folder / source}, folder / name, preview=is_preview).path


def _clips(minutes: int) -> list[dict[str, Any]]:
    step = minutes * 60 / CLIPS
    fields = {"sourceAssetId": ASSET, "volume": 0.9, "fadeIn": 0.5, "fadeOut": 0.5}
    return [
        {"id": str(index), "startTime": index * step, "endTime": (index + 1) * step} | fields
        for index in range(CLIPS)
    ]


def _apart(work: Callable[..., Any], *arguments: object) -> Any:
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(work, *arguments).result()


def _tell(cost: Cost) -> None:
    sys.stdout.write(
        f"{cost.minutes:3} min  {cost.work:30} {cost.wall_seconds:6.1f} s, {cost.cpu_seconds:6.1f} s of CPU, "
        f"at most {cost.peak_mib} MiB, {cost.output_mib:.0f} MiB made\n"
    )
    sys.stdout.flush()


if __name__ == "__main__":
    main()
