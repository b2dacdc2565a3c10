"""Two videos of one scene held against each other: that both show all of it, in step, in the same colours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TypeAlias, cast

import av
import numpy as np
from av.video.frame import PictureType, VideoFrame
from numpy.typing import NDArray

from ethereal.errors import RenderError

_MOST_DECIBELS = 100.0  # said of equal pictures, whose ratio has no bound
_LATE, _EARLY = 1, -1

Planes: TypeAlias = tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]


@dataclass(frozen=True)
class Shown:
    """What a video is; `colour` as FFmpeg numbers range, matrix, primaries and transfer."""

    frames: int
    width: int
    height: int
    fps: str
    pixel_format: str
    colour: tuple[int, int, int, int]
    kinds: dict[str, int]
    file_bytes: int
    sound_seconds: float


@dataclass(frozen=True)
class Likeness:
    """How far two videos are alike, over all frames and all of Y, Cb and Cr as decoded, in dB.

    `off_by_one` is the higher of the two medians when one video is shifted by a frame. `offsets` says by how
    much the second is brighter, bluer and redder in the mean, and `luma_slope` how its luma grows with that
    of the first: other ranges would show as 0.86 or 1.16.
    """

    median: float
    lowest: float
    lowest_frame: int
    off_by_one: float
    offsets: tuple[float, float, float]
    luma_slope: float


def look_at(video: Path) -> Shown:
    """Decode all of `video`; raise RenderError when it holds no picture."""
    kinds: Counter[str] = Counter()
    with av.open(str(video)) as container:
        frame, fps = None, container.streams.video[0].average_rate
        lengths = [(sound.duration or 0) * (sound.time_base or 0) for sound in container.streams.audio]
        for frame in container.decode(video=0):
            kinds[PictureType(frame.pict_type).name] += 1
    if frame is None:
        raise RenderError(f"{video.name} holds no picture")
    colour = (frame.color_range, frame.colorspace, frame.color_primaries, frame.color_trc)
    return Shown(
        frames=kinds.total(),
        width=frame.width,
        height=frame.height,
        fps=str(fps),
        pixel_format=frame.format.name,
        colour=(int(colour[0]), int(colour[1]), int(colour[2]), int(colour[3])),
        kinds=dict(sorted(kinds.items())),
        file_bytes=video.stat().st_size,
        sound_seconds=float(max(lengths, default=0)),
    )


def compare_videos(one: Path, other: Path) -> Likeness:
    """Hold `other` against `one`, frame by frame; raise RenderError when they are not of equal make."""
    first, second = look_at(one), look_at(other)
    made = [(s.frames, s.width, s.height, s.fps, s.pixel_format, s.colour) for s in (first, second)]
    if made[0] != made[1]:
        raise RenderError(f"not alike in frames, size, rate, pixels or colour: {made[0]} and {made[1]}")
    decibels: dict[int, list[float]] = {0: [], _LATE: [], _EARLY: []}
    drift = _Drift()
    before: tuple[Planes, Planes] | None = None
    for pair in zip(_pictures(one), _pictures(other), strict=True):
        decibels[0].append(_decibels(*pair))
        if before is not None:
            decibels[_LATE].append(_decibels(before[0], pair[1]))
            decibels[_EARLY].append(_decibels(pair[0], before[1]))
        drift.add(*pair)
        before = pair
    lowest = min(decibels[0])
    return Likeness(
        median=median(decibels[0]),
        lowest=lowest,
        lowest_frame=decibels[0].index(lowest),
        off_by_one=max(median(decibels[shift] or [0.0]) for shift in (_LATE, _EARLY)),
        offsets=drift.offsets,
        luma_slope=drift.luma_slope,
    )


def check_likeness(likeness: Likeness, *, least: float) -> None:
    """Raise RenderError when a frame is less like its peer than `least` dB, or the videos run out of step."""
    if likeness.lowest < least:
        raise RenderError(f"frame {likeness.lowest_frame} differs: {likeness.lowest:.1f} dB, not {least:g}")
    if likeness.off_by_one >= likeness.median:
        raise RenderError(
            f"out of step: {likeness.median:.1f} dB, but {likeness.off_by_one:.1f} dB a frame off"
        )


class _Drift:
    """Sums from which the mean differences of the planes and the slope of luma follow."""

    def __init__(self) -> None:
        self._frames = 0
        self._offsets = np.zeros(3)
        self._moments = np.zeros(4)  # means of luma x, y, x*x and x*y

    def add(self, one: Planes, other: Planes) -> None:
        self._frames += 1
        self._offsets += [float(np.mean(b) - np.mean(a)) for a, b in zip(one, other, strict=True)]
        x, y = one[0].astype(np.float32), other[0].astype(np.float32)
        self._moments += [float(np.mean(product)) for product in (x, y, x * x, x * y)]

    @property
    def offsets(self) -> tuple[float, float, float]:
        y, u, v = self._offsets / self._frames
        return float(y), float(u), float(v)

    @property
    def luma_slope(self) -> float:
        """Of the line of least squares; 1 where the first video is all of one luma."""
        x, y, xx, xy = self._moments / self._frames
        spread = xx - x * x
        return float((xy - x * y) / spread) if spread > 1e-6 else 1.0


def _decibels(one: Planes, other: Planes) -> float:
    error = sum(_squares(a, b) for a, b in zip(one, other, strict=True)) / sum(plane.size for plane in one)
    return min(_MOST_DECIBELS, 10 * float(np.log10(255**2 / error))) if error else _MOST_DECIBELS


def _squares(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    difference = np.subtract(one, other, dtype=np.float32)
    return float(np.dot(difference, difference))


def _pictures(video: Path) -> Iterator[Planes]:
    with av.open(str(video)) as container:
        yield from map(_planes, container.decode(video=0))


def _planes(frame: VideoFrame) -> Planes:
    if frame.format.name != "yuv420p":
        raise RenderError(f"cannot compare {frame.format.name}")
    samples = cast(NDArray[np.uint8], frame.to_ndarray()).reshape(-1)
    luma, chroma = frame.width * frame.height, frame.width * frame.height // 4
    return samples[:luma], samples[luma : luma + chroma], samples[luma + chroma :]
