"""In how many parts a video must be putable whose size nobody knows yet."""

from __future__ import annotations

from collections.abc import Mapping

from ethereal.jobs.request import RenderRequest
from ethereal.render.formats import get_format
from ethereal.storage.parts import ONE_PIECE

_SMALLEST = 64 << 20  # fewer than this are not worth a request of their own
_LINKS = 400  # so that a brief stays a quarter of a megabyte
_SOUND = 2 << 30  # an hour and a half of it, uncompressed
#: Bytes that a pixel takes at the most: what it takes uncompressed, which coded noise comes near to.
_PER_PIXEL: Mapping[str, float] = {"mp4": 1.5, "webm": 2.5, "mov": 4.0, "png-sequence": 4.5}


def size_parts(request: RenderRequest, frames: int) -> tuple[int, int]:
    """The size of the parts in bytes, and how many there may be; one where the video fits in one piece."""
    picture = get_format(request.output_format)
    most = round(picture.width * picture.height * frames * _PER_PIXEL[request.container]) + _SOUND
    if most <= ONE_PIECE:
        return ONE_PIECE, 1
    size = min(max(_SMALLEST, -(-most // _LINKS)), ONE_PIECE)
    return size, min(-(-most // size), _LINKS)
