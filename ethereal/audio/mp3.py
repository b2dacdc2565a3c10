"""Encodes MP3 on all cores: without a bit reservoir a frame depends on a moment of sound and no more."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from av.packet import Packet
from av.stream import Stream

from ethereal.audio.encode import MP3, make_encoder, make_frame, open_sound_file
from ethereal.audio.spool import Spool
from ethereal.beat import Beat, no_beat

FRAME = 1152  # samples
PERIOD = 49  # frames, after which their lengths in bytes repeat at 44.1 kHz
SEGMENT = 42 * PERIOD  # frames, 54 s
LEAD = PERIOD  # frames heard before a segment, and left out of it, until the encoder has settled
TAIL = 4  # frames heard after it: they overlap with its last ones
_BLOCK = 64 * FRAME


@dataclass(frozen=True)
class _Segment:
    """Frames that are encoded together: `first <= f < last`."""

    first: int
    last: int

    def needs(self, spool: Spool) -> int:
        """Up to which sample the spool has to be filled."""
        return min((self.last + TAIL) * FRAME, spool.sample_count)


def write_mp3(
    spool: Spool,
    filled: Iterable[int],
    output: Path,
    *,
    gain: float,
    threads: int,
    segment: int = SEGMENT,
    beat: Beat = no_beat,
) -> None:
    """Encode a spool while it is being filled: `filled` tells up to which sample it is, again and again."""
    frames = -(-spool.sample_count // FRAME)
    segments = [_Segment(first, min(first + segment, frames)) for first in range(0, frames, segment)]
    with (
        open_sound_file(output, MP3, spool.rate) as (container, stream),
        ThreadPoolExecutor(threads, "mp3") as pool,
    ):
        container.start_encoding()
        position = -stream.codec_context.delay
        for packets in _in_turn(pool, spool, filled, segments, gain):
            for packet in packets:
                packet.stream = stream
                packet.pts = packet.dts = position
                position += FRAME
                container.mux(packet)
            beat(min(max(position, 0) / spool.sample_count, 1.0))


def _in_turn(
    pool: ThreadPoolExecutor, spool: Spool, filled: Iterable[int], segments: Sequence[_Segment], gain: float
) -> Iterator[list[Packet[Stream]]]:
    """Encode each segment as soon as its sound is there; yield their packets in the order of the sound."""
    running: deque[Future[list[Packet[Stream]]]] = deque()
    waiting = deque(segments)
    try:
        for end in filled:
            while waiting and waiting[0].needs(spool) <= end:
                running.append(pool.submit(_encode, spool, waiting.popleft(), gain))
            while running and running[0].done():
                yield running.popleft().result()
        while running:
            yield running.popleft().result()
    finally:
        for future in running:
            future.cancel()


def _encode(spool: Spool, segment: _Segment, gain: float) -> list[Packet[Stream]]:
    encoder = make_encoder(MP3, spool.rate)
    start, stop = max(segment.first - LEAD, 0), segment.needs(spool)
    packets: list[Packet[Stream]] = []
    for position in range(start * FRAME, stop, _BLOCK):
        block = spool.read(position, min(position + _BLOCK, stop)) * gain
        packets += encoder.encode(make_frame(block, MP3, spool.rate, position - start * FRAME))
    packets += encoder.encode(None)
    ends_here = segment.last * FRAME >= spool.sample_count
    return packets[segment.first - start : None if ends_here else segment.last - start]
