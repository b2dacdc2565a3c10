"""What a start removes of those who were killed before it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from ethereal.leftovers import PREPARED_KEPT, sweep_leftovers
from ethereal.render.capture import profile
from ethereal.scratch import open_scratch

HEX = "0123456789abcdef"


def test_working_folders_and_profiles_of_the_dead_go_and_what_is_kept_or_in_use_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory, scratch = tmp_path / "shm", tmp_path / "scratch"
    monkeypatch.setattr(profile, "SHARED_MEMORY", memory)
    gone = [
        memory / f".ethereal-profile-7.{HEX}",
        scratch / f".render_chunk.3.{HEX}",
        scratch / f".upload.{HEX}",
        scratch / "plans" / f".abc-4.{HEX}",
        scratch / "prepared" / "old-job",
    ]
    kept = [scratch / "plans" / "abc-4", scratch / "prepared" / "job"]
    for path in (*gone, *kept):
        (path / "inside").mkdir(parents=True)
    long_ago = time.time() - PREPARED_KEPT.total_seconds() - 60
    os.utime(scratch / "prepared" / "old-job", (long_ago, long_ago))

    with open_scratch(scratch, "save_edit.0") as used:
        assert sweep_leftovers(scratch) == len(gone)
        assert used.exists()

    assert [path for path in gone if path.exists()] == []
    assert all(path.exists() for path in kept)
