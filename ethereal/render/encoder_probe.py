"""Whether an encoder that needs hardware is there, and keeps what plans rest on: tried, never asked."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np

from ethereal.errors import EncoderMissingError
from ethereal.render.composition import Composition
from ethereal.render.encode import EncodedGop, EncoderSettings, encode_gop
from ethereal.render.encoder_settings import encoder_document, read_settings
from ethereal.render.encoders.codec import Codec
from ethereal.render.encoders.nvenc import H264_NVENC
from ethereal.render.formats import QUALITIES
from ethereal.render.pixels import Pixels

_CARD = Composition("probe", "", 320, 240, Fraction(24), 1, {})  # some engines take no smaller pictures
_FRAMES = 12
_PROBED = frozenset({H264_NVENC.encoder})


def ensure_encoder(settings: EncoderSettings) -> None:
    """Raise EncoderMissingError unless this machine can encode so; what needs no hardware always can."""
    if settings.codec in _PROBED:
        probe(H264_NVENC)


def probe(codec: Codec) -> bytes:
    """Encode a GOP twice, once of rows in reverse as renderers give them, and return its bytes.

    They tell kinds of hardware and drivers apart.

    Raise EncoderMissingError where the encoder does not open, gives other bytes the second time, begins with
    no key frame, or gives what no decoder takes.
    """
    settings = read_settings(encoder_document(_CARD, QUALITIES["standard"], codec))
    pictures = _pictures()
    try:
        gop, again = encode_gop(pictures, settings), encode_gop(map(_in_reverse, pictures), settings)
        shown = _count_shown(gop)
    except (av.FFmpegError, ValueError) as error:  # ValueError: these libraries do not know its name
        raise EncoderMissingError(f"{codec.encoder} does not work here: {error}") from error
    if gop != again:
        raise EncoderMissingError(f"{codec.encoder} encodes the same pictures to other bytes each time")
    if not gop.packets[0].is_key or shown != _FRAMES:
        raise EncoderMissingError(f"{codec.encoder} gives {shown} pictures of {_FRAMES}")
    return gop.header + b"".join(packet.data for packet in gop.packets)


def has_encoder(codec: Codec) -> bool:
    try:
        probe(codec)
    except EncoderMissingError:
        return False
    return True


def _pictures() -> list[Pixels]:
    """A gradient that moves over noise: work for every part of an encoder."""
    noise = np.random.default_rng(1).integers(0, 64, (_CARD.height, _CARD.width, 4), np.uint8)
    ramp = np.arange(_CARD.width, dtype=np.uint8)[:, None] // 2
    return [noise + np.roll(ramp, 5 * index, 0) for index in range(_FRAMES)]


def _in_reverse(picture: Pixels) -> Pixels:
    """The same picture, whose last row comes first in memory."""
    return picture[::-1].copy()[::-1]


def _count_shown(gop: EncodedGop) -> int:
    decoder = av.CodecContext.create("h264", "r")
    decoder.extradata = gop.header
    packets = [*(av.Packet(packet.data) for packet in gop.packets), None]
    return sum(len(decoder.decode(packet)) for packet in packets)
