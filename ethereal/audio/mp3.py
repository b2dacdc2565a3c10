"""Writes MP3 at 128 kbit/s, with the head that lets players leave out what the encoder put around the sound.

LAME is lameenc's: the one in PyAV's wheels was built without optimisation and takes 2.7 times as long.
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from ethereal.audio.quantise import to_16_bits
from ethereal.audio.resample import Samples

if TYPE_CHECKING:
    import lameenc

FRAME = 1152  #: samples
KBITS = 128
_ENCODER_DELAY = 576  # samples of silence before the sound; decoders know their own
_FASTEST = 7
_QUALITY = 2
_RATE_BITS = {44_100: 0, 48_000: 1}
_WAITING = 4  # blocks of sound


def write_mp3(blocks: Iterable[Samples], output: Path, rate: int) -> None:
    """Encode blocks one after the other, at 44.1 or 48 kHz; what is beyond full scale is clipped.

    They are encoded in a thread while the next ones are made.
    """
    encoder, size = _open_encoder(rate), frame_size(rate)
    samples = 0

    def counted() -> Iterator[Samples]:
        nonlocal samples
        for block in blocks:
            samples += len(block)
            yield block

    with output.open("wb") as file:
        file.write(bytes(size))
        file.writelines(_coded(encoder, counted()))
        file.write(encoder.flush())
        frames = file.tell() // size - 1
        file.seek(0)
        file.write(_head(rate, frames, samples))


def frame_size(rate: int) -> int:
    """Bytes of every frame, its head among them."""
    return 144 * KBITS * 1000 // rate


def _coded(encoder: lameenc.Encoder, blocks: Iterable[Samples]) -> Iterator[bytes]:
    coming: deque[Future[bytes]] = deque()
    with ThreadPoolExecutor(1, "mp3") as thread:
        for block in blocks:
            coming.append(thread.submit(encoder.encode, to_16_bits(block).tobytes()))
            if len(coming) > _WAITING:
                yield coming.popleft().result()
        while coming:
            yield coming.popleft().result()


def _open_encoder(rate: int) -> lameenc.Encoder:
    """A variable bit rate that may not vary: LAME's constant one would turn the sound down by 5 %."""
    import lameenc  # renderers elsewhere import this module and do without

    encoder = lameenc.Encoder()
    encoder.silence()
    encoder.set_in_sample_rate(rate)
    encoder.set_channels(2)
    encoder.set_quality(_FASTEST)
    encoder.set_vbr(lameenc.VBR_MTRH)
    encoder.set_vbr_quality(_QUALITY)
    encoder.set_vbr_min_bitrate_kbps(KBITS)
    encoder.set_vbr_max_bitrate_kbps(KBITS)
    encoder.set_vbr_hard_min(1)
    return encoder


def _head(rate: int, frames: int, samples: int) -> bytes:
    """The frame without sound that LAME puts first: how many frames follow, and what to leave out of them."""
    size = frame_size(rate)
    padding = frames * FRAME - _ENCODER_DELAY - samples
    places = bytes(256 * percent // 100 for percent in range(100))  # for players that seek
    head = struct.pack(">BBBB32x", 0xFF, 0xFB, 9 << 4 | _RATE_BITS[rate] << 2, 0x44)
    head += struct.pack(">4sIII100s4x", b"Info", 0b1111, frames, (frames + 1) * size, places)
    head += struct.pack(">9sBB9xB", b"LAME3.100", 0x01, 0, KBITS)
    head += struct.pack(">I3xIH", _ENCODER_DELAY << 20 | padding << 8, (frames + 1) * size, 0)
    return head + struct.pack(">H", _checksum(head))


def _checksum(data: bytes) -> int:
    """CRC-16 as MP3 has it."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return crc
