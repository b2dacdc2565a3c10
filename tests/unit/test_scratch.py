"""Scratch directories: who uses one keeps it, who was killed does not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ethereal.scratch import open_scratch, sweep_scratch
from ethereal.whole import whole_file

HOLD = """
import sys, time
from pathlib import Path
from ethereal.scratch import open_scratch
with open_scratch(Path(sys.argv[1]), "half") as scratch:
    (scratch / "file").write_text("half")
    print(scratch.name, flush=True)
    time.sleep(60)
"""


def hold(folder: Path) -> tuple[subprocess.Popen[str], Path]:
    process = subprocess.Popen([sys.executable, "-c", HOLD, folder], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, folder / process.stdout.readline().strip()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_it_is_there_for_the_block_and_for_us_alone(tmp_path: Path) -> None:
    with open_scratch(tmp_path / "new", "work") as scratch:
        assert scratch.stat().st_mode & 0o777 == 0o700
        assert sweep_scratch(tmp_path / "new") == 0
        assert scratch.exists()

    assert names(tmp_path / "new") == []


def test_a_sweep_takes_what_a_killed_process_left_and_nothing_that_is_in_use(tmp_path: Path) -> None:
    process, path = hold(tmp_path)
    with process:
        assert sweep_scratch(tmp_path) == 0
        os.kill(process.pid, signal.SIGKILL)
    assert path.exists()

    assert sweep_scratch(tmp_path, "other") == 0
    assert sweep_scratch(tmp_path, "h*") == 1
    assert names(tmp_path) == []
    assert sweep_scratch(tmp_path / "missing") == 0


def test_the_next_run_for_the_same_output_removes_what_the_last_one_left(tmp_path: Path) -> None:
    for name in ("[video].mp4", "other.mp4"):
        (tmp_path / f".{name}.0123456789abcdef").mkdir()

    with whole_file(tmp_path / "[video].mp4") as partial:
        partial.touch()

    assert names(tmp_path) == [".other.mp4.0123456789abcdef", "[video].mp4"]


@pytest.mark.parametrize("name", ["notes", ".hidden", ".cache.d", ".a.0123456789ABCDEF", ".0123456789abcdef"])
def test_what_is_not_named_so_is_none_of_our_business(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()

    assert sweep_scratch(tmp_path) == 0
    assert names(tmp_path) == [name]


def test_one_that_is_just_being_made_is_never_lost(tmp_path: Path) -> None:
    stop = threading.Event()

    def sweep_on_and_on() -> None:
        while not stop.is_set():
            sweep_scratch(tmp_path)
            stop.wait(0.0001)

    sweeper = threading.Thread(target=sweep_on_and_on)
    sweeper.start()
    try:
        for _ in range(50):
            with open_scratch(tmp_path, "work") as scratch:
                (scratch / "file").touch()
    finally:
        stop.set()
        sweeper.join()
