"""Files of coded pictures and sound with the same bytes every time: no dates, no versions, exact lengths."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import av
from av.container import InputContainer, OutputContainer
from av.video.stream import VideoStream

# Every frame rate and 48 kHz divide it, so edit lists say every length without rounding.
_TICKS_PER_SECOND = 240_000


_MP4 = {
    "movie_timescale": str(_TICKS_PER_SECOND),
    "write_btrt": "0",  # the rate it would state is that of the first chunk
}
#: How each format is told to let players begin before they have all of a file.
_STREAMED = {
    "mp4": {"movflags": "+faststart"},
    "mov": {"movflags": "+faststart+write_colr"},
    "webm": {"cues_to_front": "1"},
}
_ALWAYS = {"mp4": _MP4, "mov": {**_MP4, "movflags": "+write_colr"}}


@contextmanager
def open_muxer(
    path: Path, wrapper: str = "mp4", *, is_streamed: bool = False, metadata: Mapping[str, str] | None = None
) -> Iterator[OutputContainer]:
    """Write a file of the format `wrapper` at `path`; after an error what is there is of no use."""
    options = {"fflags": "+bitexact", **_ALWAYS.get(wrapper, {})}
    if is_streamed:
        options |= _STREAMED[wrapper]
    container = av.open(str(path), "w", format=wrapper, container_options=options)
    try:
        container.metadata.update(metadata or {})
        yield container
    finally:
        container.close()


@contextmanager
def open_video(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    """Read the file at `path` and its one video track."""
    with av.open(str(path), "r", options={"format_whitelist": "mov,matroska"}) as container:
        yield container, container.streams.video[0]
