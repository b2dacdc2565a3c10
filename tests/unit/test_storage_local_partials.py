"""Objects in a folder: what a killed process had half written goes with the next one that is put."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from ethereal.storage.keys import StorageKey
from ethereal.storage.local import LocalObjectStore
from ethereal.storage.signing import Signer


def test_a_half_written_object_is_never_seen_and_goes_with_the_next_put(tmp_path: Path) -> None:
    objects = LocalObjectStore(
        tmp_path / "objects", base_url="", signer=Signer(b"secret"), clock=lambda: datetime.now(UTC)
    )
    source = tmp_path / "source"
    source.write_text("whole")
    half = tmp_path / "objects" / ".put.0123456789abcdef" / ".partial"
    half.parent.mkdir(parents=True)
    half.write_text("hal")
    assert list(objects.list(StorageKey(""))) == []

    objects.put(StorageKey("renders/a/audio.flac"), source)

    assert [facts.key for facts in objects.list(StorageKey(""))] == ["renders/a/audio.flac"]
    assert [path.name for path in (tmp_path / "objects").iterdir()] == ["renders"]
