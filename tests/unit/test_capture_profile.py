"""Where a browser's profile lies, and who removes it."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ethereal.errors import OutOfDiskError
from ethereal.render.capture import profile as profiles
from ethereal.render.capture.profile import choose_place, open_profile, sweep_profiles


def dead_pid() -> int:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


def make_profile(place: Path, pid: int) -> Path:
    path = place / f"ethereal-profile-{pid}-abc"
    path.mkdir()
    (path / "lock").touch()
    (path / "frames").write_bytes(b"x" * 1000)
    return path


def use_profile(place: Path) -> None:
    with open_profile(1000, None) as path:
        assert path.parent == place
        assert str(os.getpid()) in path.name
        (path / "file").touch()
        raise SystemExit


def test_a_profile_is_gone_after_use_and_after_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(profiles, "SHARED_MEMORY", tmp_path)

    with pytest.raises(SystemExit):
        use_profile(tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_swept_by_the_next_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(profiles, "SHARED_MEMORY", tmp_path)
    stale = make_profile(tmp_path, dead_pid())

    with open_profile(1000, None):
        assert not stale.exists()


def test_the_profile_of_a_living_process_is_left_alone(tmp_path: Path) -> None:
    living = make_profile(tmp_path, os.getpid())

    sweep_profiles(tmp_path)

    assert living.exists()


def test_a_profile_whose_lock_is_held_is_left_alone_whatever_its_process_id(tmp_path: Path) -> None:
    elsewhere = make_profile(tmp_path, dead_pid())

    with (elsewhere / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        sweep_profiles(tmp_path)

    assert elsewhere.exists()


def test_other_directories_are_none_of_our_business(tmp_path: Path) -> None:
    (tmp_path / "ethereal-profile-notes").mkdir()

    sweep_profiles(tmp_path)

    assert (tmp_path / "ethereal-profile-notes").exists()


def test_the_first_place_with_room_is_taken(tmp_path: Path) -> None:
    assert choose_place([tmp_path / "missing", tmp_path], 1000) == tmp_path
    with pytest.raises(OutOfDiskError):
        choose_place([tmp_path], 2**60)
