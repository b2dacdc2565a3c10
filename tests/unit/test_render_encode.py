"""One GOP: its colours, its pictures, its bytes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import cast

import av
import numpy as np
import pytest
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from ethereal.render.composition import Composition
from ethereal.render.encode import EncodedGop, EncoderSettings, encode_gop, to_video_range
from ethereal.render.encoder_settings import encoder_document, read_settings
from ethereal.render.encoders.choice import CODECS
from ethereal.render.formats import QUALITIES
from tests.render_fakes import draw_picture

CARD = Composition("card", "testcard", 160, 96, Fraction(30), 1, {})


def settings(quality: str = "standard") -> EncoderSettings:
    return read_settings(encoder_document(CARD, QUALITIES[quality]))


def pictures(count: int) -> list[NDArray[np.uint8]]:
    return [draw_picture(160, 96, frame) for frame in range(count)]


def decode(gop: EncodedGop) -> list[av.VideoFrame]:
    decoder = av.CodecContext.create("h264", "r")
    decoder.extradata = gop.header
    frames: list[av.VideoFrame] = []
    for packet in gop.packets:
        coded = av.Packet(packet.data)
        coded.pts = packet.frame
        frames += decoder.decode(coded)
    return frames + decoder.decode(None)


def psnr(one: NDArray[np.uint8], two: NDArray[np.uint8]) -> float:
    error = np.mean((one.astype(float) - two.astype(float)) ** 2)
    return float(10 * np.log10(255**2 / error))


def as_yuv(frame: av.VideoFrame) -> NDArray[np.uint8]:
    assert frame.format.name == "yuv420p"
    return cast(NDArray[np.uint8], frame.to_ndarray())


def converted(picture: NDArray[np.uint8]) -> av.VideoFrame:
    return to_video_range(picture, VideoReformatter(), "yuv420p")


def flat(colour: Sequence[int]) -> NDArray[np.uint8]:
    return np.full((96, 160, 4), [*colour, 255], np.uint8)


@pytest.mark.parametrize(
    ("colour", "expected"),
    [
        ((255, 0, 0), (63, 102, 240)),
        ((0, 255, 0), (173, 42, 26)),
        ((0, 0, 255), (32, 240, 118)),
        ((255, 255, 255), (235, 128, 128)),
        ((0, 0, 0), (16, 128, 128)),
    ],
)
def test_colours_are_those_of_bt709_in_limited_range(
    colour: Sequence[int], expected: tuple[int, ...]
) -> None:
    frame = decode(encode_gop([flat(colour)] * 3, settings("high")))[1]

    planes = [memoryview(plane)[0] for plane in frame.planes]
    assert np.abs(np.subtract(planes, expected, dtype=int)).max() <= 1
    tags = (frame.colorspace, frame.color_primaries, frame.color_trc, frame.color_range)
    assert tags == (1, 1, 1, 1)


def test_the_pictures_come_back_in_order_and_close_to_what_was_drawn() -> None:
    drawn = pictures(60)

    shown = decode(encode_gop(drawn, settings()))

    assert [frame.pts for frame in shown] == list(range(60))
    likeness = [psnr(as_yuv(frame), as_yuv(converted(one))) for frame, one in zip(shown, drawn, strict=True)]
    assert min(likeness) > 40
    assert min(likeness) > np.median(likeness) - 3, "no frame is much worse than the others"


@pytest.mark.parametrize("count", [1, 2, 3, 59, 60])
def test_a_gop_of_any_length_starts_with_its_only_key_frame(count: int) -> None:
    gop = encode_gop(pictures(count), settings())

    assert [packet.is_key for packet in gop.packets] == [True] + [False] * (count - 1)
    assert sorted(packet.frame for packet in gop.packets) == list(range(count))
    assert gop.delay == 2


def test_frames_may_be_overwritten_once_the_next_is_asked_for() -> None:
    def reused() -> object:
        buffer = np.empty((96, 160, 4), np.uint8)
        for picture in pictures(30):
            buffer[:] = picture
            yield buffer

    assert encode_gop(reused(), settings()) == encode_gop(pictures(30), settings())  # type: ignore[arg-type]


@pytest.mark.parametrize("codec", ["h264", "hevc", "vp9", "prores", "png"])
def test_rows_that_lie_in_reverse_give_the_same_bytes(codec: str) -> None:
    told = read_settings(encoder_document(CARD, QUALITIES["standard"], CODECS[codec]))
    lying = [picture[::-1].copy()[::-1] for picture in pictures(15)]

    assert encode_gop(lying, told) == encode_gop(pictures(15), told)


def test_all_gops_of_a_plan_share_one_header_and_none_tells_the_encoder_version() -> None:
    one, other = encode_gop(pictures(60), settings()), encode_gop(pictures(7), settings())

    assert one.header == other.header
    assert b"x264" not in one.header + b"".join(packet.data for packet in one.packets)


@pytest.mark.parametrize("instructions", ["0", "SSE2", "AVX2"])
def test_the_instructions_a_cpu_has_change_no_byte(instructions: str) -> None:
    told = settings()
    params = f"{told.options['x264-params']}:asm={instructions}"
    limited = replace(told, options={**told.options, "x264-params": params})

    assert encode_gop(pictures(40), limited) == encode_gop(pictures(40), told)


CONVERT = """
import ctypes, hashlib, sys
import av, numpy as np, psutil
from av.video.reformatter import VideoReformatter
from ethereal.render.encode import to_video_range
library = next(loaded.path for loaded in psutil.Process().memory_maps() if "libavutil" in loaded.path)
if sys.argv[1]:
    ctypes.CDLL(library).av_force_cpu_flags(int(sys.argv[1], 16))
digest = hashlib.sha256()
for name in ("yuv420p", "yuva420p", "yuv444p10le", "yuva444p12le"):
    noise = np.random.default_rng(1).integers(0, 256, (362, 640, 4), np.uint8)
    for plane in to_video_range(noise, VideoReformatter(), name).planes:
        assert plane.line_size == plane.width * (1 if name.endswith("p") else 2)
        digest.update(memoryview(plane))
print(digest.hexdigest())
"""


def test_no_instruction_of_a_cpu_changes_a_converted_colour() -> None:
    plain, sse2, all_there = "0", "18", ""
    digests = {
        subprocess.run([sys.executable, "-c", CONVERT, flags], check=True, capture_output=True).stdout
        for flags in (plain, sse2, all_there)
    }

    assert len(digests) == 1


def test_another_process_encodes_the_same_bytes() -> None:
    code = (
        "import hashlib\n"
        "from ethereal.render.encode import encode_gop\n"
        "from tests.unit.test_render_encode import pictures, settings\n"
        "print(hash_of(encode_gop(pictures(40), settings())))"
    ).replace("hash_of(", "(lambda gop: hashlib.sha256(b''.join(p.data for p in gop.packets)).hexdigest())(")
    digests = {
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True).stdout for _ in range(2)
    }

    assert len(digests) == 1
