"""MP4 files with the same bytes every time: no dates, no versions, every length exact."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import av
from av.container import InputContainer, OutputContainer
from av.video.stream import VideoStream

# Every frame rate and 48 kHz divide it, so edit lists say every length without rounding.
_TICKS_PER_SECOND = 240_000


@contextmanager
def open_mp4(
    path: Path, *, faststart: bool = False, metadata: Mapping[str, str] | None = None
) -> Iterator[OutputContainer]:
    """Write an MP4 at `path`; after an error what is there is of no use."""
    options = {
        "fflags": "+bitexact",
        "movie_timescale": str(_TICKS_PER_SECOND),
        "write_btrt": "0",  # the rate it would state is that of the first chunk
    }
    if faststart:
        options["movflags"] = "+faststart"
    container = av.open(str(path), "w", format="mp4", container_options=options)
    try:
        container.metadata.update(metadata or {})
        yield container
    finally:
        container.close()


@contextmanager
def open_video(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    """Read the MP4 at `path` and its one video track."""
    with av.open(str(path), "r", format="mp4") as container:
        yield container, container.streams.video[0]
