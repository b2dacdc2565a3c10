"""Look into a finished video: its frames by index, decoded or as they are coded."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Protocol, cast
from zipfile import BadZipFile, ZipFile, is_zipfile

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from ethereal.errors import RenderError
from ethereal.render.coded_alpha import alpha_of
from ethereal.render.coded_pictures import read_pictures
from ethereal.render.container import open_video
from ethereal.render.join_zip import picture_name


class Film(Protocol):
    """A finished video, open for reading."""

    frame_count: int
    width: int
    height: int

    def picture(self, frame: int) -> VideoFrame:
        """Decode `frame`, with its alpha if it has one; raise RenderError when there is no such frame."""
        ...

    def coded(self, gop: range) -> list[bytes]:
        """Return the coded pictures of the frames of a GOP, in the order of coding, each with its alpha."""
        ...


@contextmanager
def open_film(path: Path) -> Iterator[Film]:
    """Read the video at `path`, of whatever container."""
    if is_zipfile(path):
        with ZipFile(path) as archive:
            yield _ZipFilm(archive)
    else:
        with open_video(path) as (container, stream):
            yield _MuxedFilm(container, stream)


class _MuxedFilm:
    def __init__(self, container: InputContainer, stream: VideoStream) -> None:
        self._container, self._stream = container, stream
        self._rate = cast(Fraction, stream.average_rate)
        self.width, self.height = stream.codec_context.width, stream.codec_context.height
        # Matroska counts no frames, but says its length to the millisecond.
        length = Fraction(container.duration or 0, av.time_base)
        self.frame_count = stream.frames or round(length * self._rate)

    def picture(self, frame: int) -> VideoFrame:
        self._seek(frame)
        earliest = self._ticks(frame) - 1  # times may be rounded
        for picture in self._decoded():
            if cast(int, picture.pts) >= earliest:
                return picture
        raise RenderError(f"the video has no frame {frame}")

    def coded(self, gop: range) -> list[bytes]:
        self._seek(gop.start)
        packets = islice(read_pictures(self._container), len(gop))
        return [bytes(packet) + alpha_of(packet) for packet in packets]

    def _decoded(self) -> Iterator[VideoFrame]:
        if self._stream.metadata.get("alpha_mode") != "1":
            yield from self._container.decode(self._stream)
            return
        decoder = av.CodecContext.create("libvpx-vp9", "r")  # FFmpeg's own drops alpha
        for packet in self._container.demux(self._stream):
            yield from decoder.decode(packet if packet.dts is not None else None)

    def _seek(self, frame: int) -> None:
        """Go to the key frame at `frame` or before it."""
        self._container.seek(math.ceil(self._ticks(frame)), stream=self._stream)

    def _ticks(self, frame: int) -> Fraction:
        return frame / self._rate / cast(Fraction, self._stream.time_base)


class _ZipFilm:
    def __init__(self, archive: ZipFile) -> None:
        self._archive = archive
        self.frame_count = sum(name.endswith(".png") for name in archive.namelist())
        first = self.picture(0)
        self.width, self.height = first.width, first.height

    def picture(self, frame: int) -> VideoFrame:
        decoder = av.CodecContext.create("png", "r")
        (coded,) = self.coded(range(frame, frame + 1))
        if not coded:
            raise RenderError(f"frame {frame} is damaged")
        pictures = [*decoder.decode(av.Packet(coded)), *decoder.decode(None)]
        return pictures[0]

    def coded(self, gop: range) -> list[bytes]:
        try:
            return [self._read(picture_name(frame)) for frame in gop]
        except KeyError as error:
            raise RenderError(f"the archive lacks a frame of {gop}") from error

    def _read(self, name: str) -> bytes:
        """The file of that name; b"" when it is damaged, which no picture equals."""
        try:
            return self._archive.read(name)
        except BadZipFile:
            return b""
