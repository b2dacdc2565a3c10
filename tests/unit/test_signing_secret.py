from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

from ethereal.secret import ensure_secret


def test_a_secret_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "data" / "secret"

    assert ensure_secret(path) == ensure_secret(path)
    assert len(path.read_bytes()) == 64
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["secret"]


def test_processes_that_start_at_once_agree(tmp_path: Path) -> None:
    path = str(tmp_path / "secret")
    script = f"from ethereal.secret import *; print(ensure_secret(Path({path!r})))"
    racers = [
        subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]

    assert len({racer.communicate(timeout=150)[0] for racer in racers}) == 1
