"""NumPy's matrix library keeps to one thread in our processes: idle ones would take cores from the rest."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

COMMAND = """
import sys
from ethereal.cli import main
sys.argv = ["ethereal", "--version"]
try:
    main()
except SystemExit:
    pass
"""
COUNT = "import numpy, psutil; print(psutil.Process().num_threads())"


@pytest.mark.parametrize("start", ["import tasks.app", COMMAND], ids=["worker", "command"])
def test_a_process_of_ours_has_one_thread_for_matrices(start: str) -> None:
    assert threads_after(start) == 1


def test_who_asks_for_threads_has_them() -> None:
    assert threads_after(COMMAND, OPENBLAS_NUM_THREADS="2") == threads_after("", OPENBLAS_NUM_THREADS="2")


def threads_after(start: str, **asked: str) -> int:
    usual = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    said = subprocess.run(
        [sys.executable, "-c", f"{start}\n{COUNT}"],
        capture_output=True,
        check=True,
        text=True,
        env=usual | asked,
    ).stdout
    return int(said.splitlines()[-1])
