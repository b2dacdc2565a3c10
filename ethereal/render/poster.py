"""Still pictures of a video: a poster, and a contact sheet that shows all of it at a glance.

Those of a transparent video lie over dark squares.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
from av.codec.context import Flags
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, Interpolation

from ethereal.render.film import open_film
from ethereal.render.pixels import Pixels, pixels_of
from ethereal.render.plan_record import Plan
from ethereal.render.renderer import Renderer
from ethereal.whole import whole_file

_SHEET_WIDTH = 1600
_SQUARE = 16  # pixels
_DARK, _LESS_DARK = np.array([20, 17, 19], np.float32), np.array([30, 26, 28], np.float32)
_JPEG_QUALITY = 3  # 2 is the best that FFmpeg gives, 31 the worst
_LAMBDA = 118  # FFmpeg counts quality in these


def make_poster(video: Path, output: Path, at: float = 0.4) -> Path:
    """Write the frame that lies `at` of the way through `video` as a JPEG, whole or not at all."""
    with open_film(video) as film:
        picture = film.picture(round(at * (film.frame_count - 1)))
        write_jpeg(_shown(picture, picture.width, picture.height), output)
    return output


def make_contact_sheet(video: Path, output: Path, columns: int = 4, rows: int = 4) -> Path:
    """Write `columns` x `rows` frames, evenly spaced, in reading order, as one JPEG; whole or not at all."""
    with open_film(video) as film:
        frames = contact_frames(film.frame_count, columns * rows)
        size = _thumbnail(film.width, film.height, columns)
        _write_sheet([_shown(film.picture(index), *size) for index in frames], output, size, columns)
    return output


def draw_contact_sheet(renderer: Renderer, plan: Plan, output: Path, columns: int = 4, rows: int = 4) -> Path:
    """The same before anything is rendered, drawn by `renderer`; raise what it raises."""
    width, height = plan.composition.width, plan.composition.height
    size = _thumbnail(width, height, columns)
    pictures, show = [], _over_squares if plan.encoder.has_alpha else _to_rgb
    for view in renderer.draw(contact_frames(plan.frame_count, columns * rows)):
        drawn = np.ascontiguousarray(pixels_of(view, width, height))
        pictures.append(show(VideoFrame.from_ndarray(drawn, "rgba"), *size))
    _write_sheet(pictures, output, size, columns)
    return output


def contact_frames(frame_count: int, count: int) -> list[int]:
    """The frames on a contact sheet of `count` pictures, in order."""
    return [(2 * place + 1) * frame_count // (2 * count) for place in range(count)]


def _write_sheet(pictures: Sequence[Pixels], output: Path, size: tuple[int, int], columns: int) -> None:
    width, height = size
    sheet = np.zeros((len(pictures) // columns * height, columns * width, 3), np.uint8)
    for place, picture in enumerate(pictures):
        top, left = place // columns * height, place % columns * width
        sheet[top : top + height, left : left + width] = picture
    write_jpeg(sheet, output)


def _thumbnail(width: int, height: int, columns: int) -> tuple[int, int]:
    small = _even(_SHEET_WIDTH // columns)
    return small, _even(small * height // width)


def _shown(picture: VideoFrame, width: int, height: int) -> Pixels:
    has_alpha = any(part.is_alpha for part in picture.format.components)
    return (_over_squares if has_alpha else _to_rgb)(picture, width, height)


def _over_squares(picture: VideoFrame, width: int, height: int) -> Pixels:
    straight = picture.reformat(width, height, "rgba", Colorspace.ITU709, interpolation=Interpolation.AREA)
    pixels = straight.to_ndarray().astype(np.float32)
    y, x = np.mgrid[0:height, 0:width] // _SQUARE
    squares = np.where(((x + y) % 2)[..., None], _DARK, _LESS_DARK)
    alpha: Any = pixels[..., 3:] / 255
    return cast(Pixels, np.rint(pixels[..., :3] * alpha + squares * (1 - alpha)).astype(np.uint8))


def _to_rgb(picture: VideoFrame, width: int, height: int) -> Pixels:
    rgb = picture.reformat(width, height, "rgb24", Colorspace.ITU709, interpolation=Interpolation.AREA)
    return cast(Pixels, rgb.to_ndarray())


def write_jpeg(rgb: Pixels, output: Path) -> None:
    """Write `rgb`, of shape (height, width, 3), as a JPEG, whole or not at all."""
    picture = VideoFrame.from_ndarray(rgb, "rgb24").reformat(
        format="yuvj420p",
        dst_colorspace=Colorspace.ITU601,  # a JPEG is always that, in full range
        src_color_range=ColorRange.JPEG,
        dst_color_range=ColorRange.JPEG,
        interpolation=Interpolation.AREA,
    )
    context = av.CodecContext.create("mjpeg", "w")
    context.width, context.height, context.pix_fmt = picture.width, picture.height, "yuvj420p"
    context.time_base = Fraction(1)
    context.flags |= Flags.qscale | Flags.bitexact
    context.global_quality = _JPEG_QUALITY * _LAMBDA
    picture.pts = 0
    with whole_file(output) as partial:
        partial.write_bytes(b"".join(map(bytes, [*context.encode(picture), *context.encode(None)])))


def _even(length: int) -> int:
    return max(2, length // 2 * 2)
