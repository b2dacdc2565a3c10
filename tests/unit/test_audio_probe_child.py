"""Looking at a stranger's file from apart: what it costs is bounded, and a busy machine blames no file."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import av
import numpy as np
import pytest

from ethereal.audio import probe_child
from ethereal.audio.probe_child import probe_apart
from ethereal.errors import UnavailableError, UnreadableAudioError


def write_minutes(path: Path, count: int) -> Path:
    """Silence in ADTS, which tells no length: all its packets, 470 a minute, must be counted."""
    minute = np.zeros((1, 8000 * 60), np.float32)
    frame = av.AudioFrame.from_ndarray(minute, format="fltp", layout="mono")
    frame.sample_rate = 8000
    with av.open(str(path), "w", format="adts") as file:
        stream = file.add_stream("aac", rate=8000, layout="mono")
        file.mux([*stream.encode(frame), *stream.encode(None)])
    path.write_bytes(path.read_bytes() * count)
    return path


def test_a_file_that_costs_too_much_is_unreadable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    song = write_minutes(tmp_path / "long.aac", 10_000)
    monkeypatch.setattr(probe_child, "_CPU_SECONDS", 1)

    with pytest.raises(UnreadableAudioError):
        probe_apart(song)


def test_a_file_that_costs_little_has_all_the_time_it_needs(tmp_path: Path) -> None:
    facts = probe_apart(write_minutes(tmp_path / "short.aac", 2))

    assert (facts.codec, facts.sample_rate, facts.channels) == ("aac", 8000, 1)
    assert 120 <= facts.duration < 121


def test_when_the_look_does_not_get_done_it_is_not_the_files_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    song = write_minutes(tmp_path / "long.aac", 10_000)
    monkeypatch.setattr(probe_child, "_PATIENCE", timedelta(milliseconds=1))

    with pytest.raises(UnavailableError, match="busy"):
        probe_apart(song)
