"""The GOP grid, fixed by the frame rate alone, and how runs of whole GOPs are dealt out as chunks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import ceil

from ethereal.errors import InvalidConfigError

MAX_CHUNKS = 1000
GOP_SECONDS = 2
_LEAST_SECONDS = 5.0  # less work than this is not worth a task and a browser
_MOST_SECONDS = 60.0  # more work than this is too much to lose with a worker
_CHUNKS_PER_WORKER = 4  # so that a slow worker holds up the others little


@dataclass(frozen=True)
class Chunk:
    """A run of whole GOPs rendered as one unit: `start_frame <= frame < end_frame`."""

    index: int
    first_gop: int
    gops: tuple[range, ...]

    @property
    def gop_count(self) -> int:
        return len(self.gops)

    @property
    def numbered(self) -> Iterator[tuple[int, range]]:
        """Each GOP behind its number in the video."""
        return enumerate(self.gops, self.first_gop)

    @property
    def start_frame(self) -> int:
        return self.gops[0].start

    @property
    def end_frame(self) -> int:
        return self.gops[-1].stop

    @property
    def frame_count(self) -> int:
        return self.end_frame - self.start_frame

    @property
    def name(self) -> str:
        """What its file is called: equal for equal GOPs, however the others are dealt out."""
        return f"{self.first_gop:06}-{self.first_gop + self.gop_count - 1:06}"


def read_chunk_name(name: str) -> range:
    """Return the numbers of the GOPs that a chunk of that name holds."""
    first, last = map(int, name.split("-"))
    return range(first, last + 1)


def gop_frames_for(fps: Fraction) -> int:
    """Return the length of a GOP in frames."""
    return round(GOP_SECONDS * fps)


def gops_of(frame_count: int, gop_frames: int) -> tuple[range, ...]:
    """Cut frames 0 <= f < `frame_count` into GOPs; the last may be shorter."""
    starts = range(0, frame_count, gop_frames)
    return tuple(range(start, min(start + gop_frames, frame_count)) for start in starts)


def deal_chunks(gops: Sequence[range], chunk_count: int) -> tuple[Chunk, ...]:
    """Deal `gops` out to `chunk_count` chunks, one per GOP at most; their sizes differ by one GOP at most.

    Raise InvalidConfigError for a count that is not 1 to 1,000.
    """
    if not 1 <= chunk_count <= MAX_CHUNKS:
        message = f"must be 1 to {MAX_CHUNKS}, not {chunk_count}"
        raise InvalidConfigError(f"chunk count: {message}", {"chunkCount": [message]})
    chunk_count = min(chunk_count, len(gops))
    edges = [len(gops) * index // chunk_count for index in range(chunk_count + 1)]
    return tuple(
        Chunk(index, first, tuple(gops[first:end])) for index, (first, end) in enumerate(pairwise(edges))
    )


def choose_chunk_count(
    *, gop_count: int, frame_count: int, seconds_per_frame: float, width_of_farm: int
) -> int:
    """Return a count that keeps `width_of_farm` workers busy to the end, in chunks of 5 to 60 s of work."""
    work = frame_count * seconds_per_frame
    even = min(int(work / _LEAST_SECONDS), _CHUNKS_PER_WORKER * width_of_farm)
    return max(1, min(gop_count, MAX_CHUNKS, max(even, ceil(work / _MOST_SECONDS))))
