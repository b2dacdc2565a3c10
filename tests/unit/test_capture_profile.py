"""Where a browser's profile lies, and who removes it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ethereal.errors import OutOfDiskError
from ethereal.render.capture import profile as profiles
from ethereal.render.capture.profile import choose_place, open_profile, sweep_profiles


@pytest.fixture(autouse=True)
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(profiles, "SHARED_MEMORY", tmp_path / "shm")
    (tmp_path / "shm").mkdir()
    return tmp_path / "shm"


def use_profile(place: Path) -> None:
    with open_profile(1000, None) as path:
        assert path.parent == place
        assert str(os.getpid()) in path.name
        (path / "file").touch()
        raise SystemExit


def test_a_profile_is_gone_after_use_and_after_an_error(memory: Path) -> None:
    with pytest.raises(SystemExit):
        use_profile(memory)

    assert list(memory.iterdir()) == []


def test_what_a_killed_process_left_is_swept_by_the_next_open_and_nothing_else(memory: Path) -> None:
    stale = memory / ".ethereal-profile-77.0123456789abcdef"
    stale.mkdir()
    (stale / "frames").write_bytes(b"x" * 1000)
    (memory / ".another-program.0123456789abcdef").mkdir()

    with open_profile(1000, None) as first, open_profile(1000, None):
        assert not stale.exists()
        assert first.exists()
    assert [path.name for path in memory.iterdir()] == [".another-program.0123456789abcdef"]


def test_profiles_are_looked_for_where_there_was_no_room_in_memory_too(memory: Path, tmp_path: Path) -> None:
    stale = [place / ".ethereal-profile-77.0123456789abcdef" for place in (memory, tmp_path)]
    for path in stale:
        path.mkdir()

    assert sweep_profiles(tmp_path) == 2


def test_the_first_place_with_room_is_taken(tmp_path: Path) -> None:
    assert choose_place([tmp_path / "missing", tmp_path], 1000) == tmp_path
    with pytest.raises(OutOfDiskError):
        choose_place([tmp_path], 2**60)
