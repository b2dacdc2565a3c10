"""The ring of frames, with this test in the place of the page."""

from __future__ import annotations

import errno
import os
import struct
from pathlib import Path

import pytest

from ethereal.errors import BrowserCrashedError, OutOfDiskError
from ethereal.render.capture.ring import PAGE, RING_BYTES, RingSize, open_ring, ring_size

SMALL = RingSize(slots=3, frame_bytes=64)


def make_file(user_data: Path, size: RingSize = SMALL) -> Path:
    path = user_data / "Default" / "File System" / "000" / "t" / "00" / "00000000"
    path.parent.mkdir(parents=True)
    path.write_bytes(bytes(size.bytes))
    return path


def test_orders_lie_where_the_page_reads_them(tmp_path: Path) -> None:
    path = make_file(tmp_path)

    with open_ring(tmp_path, SMALL) as ring:
        for frame in (70, 80, 90, 100):
            ring.order(frame)

        assert struct.unpack_from("<II", path.read_bytes()) == (4, 0)
        assert struct.unpack_from("<III", path.read_bytes(), 64) == (100, 80, 90)
        ring.withdraw()
        assert struct.unpack_from("<II", path.read_bytes()) == (4, 4)


def test_what_the_page_writes_is_seen_at_once(tmp_path: Path) -> None:
    path = make_file(tmp_path)

    with open_ring(tmp_path, SMALL) as ring, path.open("r+b") as page:
        page.seek(2 * PAGE + 64)
        page.write(b"x" * 64)
        page.seek(PAGE)
        page.write(struct.pack("<I", 5))
        page.flush()

        assert ring.written == 5
        assert bytes(ring.frame(4)) == b"x" * 64
        assert ring.frame(4).readonly


def test_a_view_that_a_consumer_keeps_does_not_break_the_end(tmp_path: Path) -> None:
    make_file(tmp_path)

    with open_ring(tmp_path, SMALL) as ring:
        kept = ring.frame(0)[:8]

    assert bytes(kept) == bytes(8)


def test_no_ring_file_means_a_broken_browser(tmp_path: Path) -> None:
    with pytest.raises(BrowserCrashedError), open_ring(tmp_path, SMALL):
        pass


def test_a_disk_that_cannot_hold_the_ring_is_told_before_drawing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(file: int, offset: int, size: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    make_file(tmp_path)
    monkeypatch.setattr(os, "posix_fallocate", no_room)

    with pytest.raises(OutOfDiskError, match="No space left"), open_ring(tmp_path, SMALL):
        pass


@pytest.mark.parametrize(
    ("width", "height", "slots"),
    [(160, 90, 16), (1280, 720, 16), (1920, 1080, 24), (3840, 2160, 6), (7680, 4320, 2)],
)
def test_the_ring_fits_its_memory_and_has_two_slots_at_least(width: int, height: int, slots: int) -> None:
    size = ring_size(width, height)

    assert 2 <= size.slots <= slots
    assert size.bytes <= max(RING_BYTES, 2 * width * height * 4) + 2 * PAGE
