"""Encode GOPs in threads while the next frames are drawn; PyAV encodes without the interpreter lock."""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from queue import SimpleQueue
from threading import Event, Semaphore
from types import TracebackType
from typing import Self, TypeAlias

from av.video.frame import VideoFrame

from ethereal.errors import RenderError
from ethereal.render.encode import EncodedGop, EncoderSettings, PictureMaker, encode_pictures
from ethereal.render.pixels import pixels_of

DrawFrames: TypeAlias = Callable[[Sequence[int]], Iterator[memoryview]]
_BEAT_SECONDS = 0.2
_SPARE_PICTURES = 2
_PIXELS_AT_ONCE = 18_000_000  # two pictures of 4K: an encoder of them takes most of a gigabyte


@dataclass
class GopTimes:
    """Seconds spent waiting for frames to be drawn, and CPU seconds spent encoding, so far."""

    draw_seconds: float = 0.0
    encode_seconds: float = 0.0


def encode_gops(
    draw: DrawFrames,
    gops: Sequence[range],
    settings: EncoderSettings,
    *,
    encoders: int,
    beat: Callable[[int], None],
    times: GopTimes,
) -> Generator[EncodedGop, None, None]:
    """Draw the frames of `gops` and yield each GOP encoded, in order; at most `encoders` + 1 are in memory.

    `beat` is called with the number of frames drawn, after each frame and while waiting; it may raise.
    """
    most = most_at_once(settings, encoders)
    order = drawing_order(gops, min(encoders, most), most, _lookahead(settings))
    with _GopEncoders(settings, most, times) as running:
        views = _timed(draw([frame for _, frame in order]), times)
        for drawn, (gop, _) in enumerate(order):
            if not running.has(gop):
                yield from running.make_room(partial(beat, drawn))
                running.start(gop, len(gops[gop]))
            running.put(gop, _next(views, drawn, len(order)))
            beat(drawn + 1)
        for _ in views:
            raise RenderError(f"the renderer gave more than the {len(order)} frames asked for")
        yield from running.finish(partial(beat, len(order)))


def drawing_order(
    gops: Sequence[range], encoders: int, most: int, lookahead: int = 0
) -> list[tuple[int, int]]:
    """Return (GOP, frame) for every frame: `encoders` GOPs at a time in step, never more than `most`.

    An encoder looks ahead before its first picture and does much of its work once its last frame has come:
    GOPs drawn one after another keep one encoder busy and a half, and the last one busy alone. The frames
    that the first of a group only looks at come before the others', so that it encodes while they look.
    """
    edges = [*range(0, len(gops), encoders), len(gops)]
    if len(edges) > 2 and edges[-1] - edges[-2] == 1 and encoders < most:
        del edges[-2]  # one left over would keep one core busy and the others waiting
    groups = (range(first, end) for first, end in pairwise(edges))
    return [pair for group in groups for pair in _in_step(gops, group, lookahead)]


def most_at_once(settings: EncoderSettings, encoders: int) -> int:
    """How many GOPs may be in memory: one more than draw in step, so that none waits for the others' ends."""
    return min(encoders + 1, max(1, _PIXELS_AT_ONCE // (settings.width * settings.height)))


def _in_step(gops: Sequence[range], group: range, lookahead: int) -> list[tuple[int, int]]:
    first = gops[group[0]]
    early = min(lookahead, len(first) - 1)
    starts = {gop: early if gop == group[0] else 0 for gop in group}
    paced = sorted(
        ((place + 1) / (len(gops[gop]) - start), gop, frame)
        for gop, start in starts.items()
        for place, frame in enumerate(gops[gop][start:])
    )
    return [(group[0], frame) for frame in first[:early]] + [(gop, frame) for _, gop, frame in paced]


def _lookahead(settings: EncoderSettings) -> int:
    """How many frames x264 or x265 is told to look at before it encodes the first."""
    told = re.search(r"\brc-lookahead=(\d+)", ":".join(settings.options.values()))
    return int(told[1]) if told else 0


@dataclass
class _Feed:
    """The pictures of one GOP on their way to its encoder; None when the drawing side gave up."""

    frame_count: int
    pictures: SimpleQueue[VideoFrame | None] = field(default_factory=SimpleQueue)


class _StoppedError(Exception):
    """The drawing side gave up."""


class _GopEncoders:
    """GOPs being encoded, oldest first. A bound on the pictures that wait for an encoder bounds memory."""

    def __init__(self, settings: EncoderSettings, limit: int, times: GopTimes) -> None:
        self._settings, self._limit, self._times = settings, limit, times
        self._threads = ThreadPoolExecutor(limit, "gop-encoder")
        self._pending: deque[Future[EncodedGop]] = deque()
        self._feeds: dict[int, _Feed] = {}
        self._room = Semaphore(limit + _SPARE_PICTURES)
        self._maker = PictureMaker(settings)
        self._stopped = Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        for feed in self._feeds.values():
            feed.pictures.put(None)  # wakes an encoder that waits for a picture
        self._threads.shutdown(cancel_futures=True)

    def has(self, gop: int) -> bool:
        return gop in self._feeds

    def start(self, gop: int, frame_count: int) -> None:
        feed = self._feeds[gop] = _Feed(frame_count)
        self._pending.append(self._threads.submit(self._run, feed))

    def put(self, gop: int, view: memoryview) -> None:
        height, width = self._settings.height, self._settings.width
        if view.nbytes != height * width * 4:
            raise RenderError(f"the renderer gave a frame of {view.nbytes} bytes, not {height * width * 4}")
        self._room.acquire()
        started = time.thread_time()
        # Straight from where it was drawn: a copy takes a third of what the conversion takes.
        self._feeds[gop].pictures.put(self._maker.make(pixels_of(view, width, height)))
        self._times.encode_seconds += time.thread_time() - started

    def make_room(self, beat: Callable[[], None]) -> Iterator[EncodedGop]:
        while len(self._pending) >= self._limit:
            yield self._oldest(beat)

    def finish(self, beat: Callable[[], None]) -> Iterator[EncodedGop]:
        while self._pending:
            yield self._oldest(beat)

    def _oldest(self, beat: Callable[[], None]) -> EncodedGop:
        future = self._pending[0]
        while not wait([future], _BEAT_SECONDS).done:
            beat()
        return self._pending.popleft().result()

    def _run(self, feed: _Feed) -> EncodedGop:
        pictures = self._pictures(feed)
        started = time.thread_time()
        try:
            return encode_pictures(pictures, self._settings)
        finally:
            self._times.encode_seconds += time.thread_time() - started
            for _ in pictures:  # after a failure drawing must not wait for room that nobody makes
                pass

    def _pictures(self, feed: _Feed) -> Iterator[VideoFrame]:
        for _ in range(feed.frame_count):
            picture = feed.pictures.get()
            if picture is None or self._stopped.is_set():
                raise _StoppedError
            self._room.release()
            yield picture


def _next(views: Iterator[memoryview], drawn: int, count: int) -> memoryview:
    view = next(views, None)
    if view is None:
        raise RenderError(f"the renderer gave {drawn} frames of {count}")
    return view


def _timed(views: Iterator[memoryview], times: GopTimes) -> Iterator[memoryview]:
    while True:
        started = time.monotonic()
        view = next(views, None)
        times.draw_seconds += time.monotonic() - started
        if view is None:
            return
        yield view
