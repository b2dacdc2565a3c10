"""Guards against a scene that draws nothing: long runs of blank frames, or of equal ones though it moves.

A frame is blank when all of it is black, or transparent.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from ethereal.errors import SceneFailedError

LONGEST_RUN = (
    48  # frames; a fade may begin in black and a beat may hold still, but not for two seconds of film
)
_SAMPLES = 1024


@dataclass(frozen=True)
class Expectations:
    """What a scene says of itself with `export const expects`."""

    motion: bool = False
    not_black: bool = False


def read_expectations(declared: Mapping[str, object]) -> Expectations:
    """From what the page reports: `{motion, notBlack}`, each may be absent."""
    return Expectations(motion=declared.get("motion") is True, not_black=declared.get("notBlack") is True)


class FrameWatch:
    """Looks at the frames of one run, in order; reads all of a frame only where its samples are suspect."""

    def __init__(self, expects: Expectations, frame_bytes: int, *, has_alpha: bool) -> None:
        self._expects, self._has_alpha = expects, has_alpha
        self._stride = max(frame_bytes // _SAMPLES, 1) | 1  # odd: the samples go round all four channels
        self._alphas = slice(next(at for at in range(4) if at * self._stride % 4 == 3), None, 4)
        self._last_frame, self._last_sample, self._last_sum = -1, b"", -1
        self._black_run = self._still_run = 0

    def look(self, frame: int, pixels: memoryview) -> None:
        """Raise SceneFailedError when the run up to this frame cannot be what the scene means to draw."""
        if self._expects == Expectations():
            return
        sample = bytes(pixels[:: self._stride])
        checksum = zlib.crc32(pixels) if sample == self._last_sample else -1
        is_still = checksum != -1 and checksum == self._last_sum and frame != self._last_frame
        self._still_run = self._still_run + 1 if is_still else 0
        self._black_run = self._black_run + 1 if self._is_blank(sample, pixels) else 0
        self._last_frame, self._last_sample, self._last_sum = frame, sample, checksum
        self._judge(frame)

    def _is_blank(self, sample: bytes, pixels: memoryview) -> bool:
        """Whether nothing is to be seen; the alpha of a picture that has none may be anything."""
        colours = bytearray(sample)
        del colours[self._alphas]
        if not any(colours) and all(_is_zero(pixels[channel::4]) for channel in range(3)):
            return True
        return self._has_alpha and not any(sample[self._alphas]) and _is_zero(pixels[3::4])

    def _judge(self, frame: int) -> None:
        if self._expects.not_black and self._black_run >= LONGEST_RUN:
            raise SceneFailedError(f"{self._black_run} blank frames up to frame {frame}")
        if self._expects.motion and self._still_run >= LONGEST_RUN:
            raise SceneFailedError(
                f"{self._still_run} equal frames up to frame {frame}, where the scene promises motion"
            )


def _is_zero(channel: memoryview) -> bool:
    return not bytes(channel).strip(b"\0")
