"""What the bench says of a process: its CPU, and its memory with that of what it started."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from ethereal.bench.load import Load, make_sound, request_load
from ethereal.bench.usage import PeakMemory, usage_of
from ethereal.bench.whole import run_measured
from ethereal.errors import ChildFailedError

CHILD_WITH_64_MIB = """
import subprocess, sys
subprocess.run([sys.executable, "-c", "import time; held = bytearray(b'1') * (64 << 20); time.sleep(3)"])
"""


def test_idle_time_is_no_cpu_time() -> None:
    with usage_of(os.getpid()) as usage:
        time.sleep(0.2)

    assert usage.wall_seconds >= 0.2
    assert usage.cpu_seconds < usage.wall_seconds


def test_memory_counts_what_a_command_started() -> None:
    run = run_measured([sys.executable, "-c", CHILD_WITH_64_MIB])

    assert 64 <= run.peak_mib < 512


def test_a_command_that_fails_is_told_with_what_it_said() -> None:
    with pytest.raises(ChildFailedError, match="no such luck"):
        run_measured([sys.executable, "-c", "raise SystemExit('no such luck')"])


def test_watching_nothing_sees_nothing() -> None:
    with PeakMemory(2**22 + 1) as memory:
        time.sleep(1.2)

    assert memory.bytes == 0


def test_the_sound_of_a_load_lasts_as_long_as_its_frames(tmp_path: Path) -> None:
    load = Load("bench_light", "draft-720p", 75)

    request = request_load(load, make_sound(tmp_path / "sound.wav", load.frames), tmp_path)

    assert request.frame_count == 75
    assert request.composition.scene == "bench_light"
