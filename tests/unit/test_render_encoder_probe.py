"""Encoders that need hardware are tried, and refused where they are not or do not keep their word."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from ethereal.errors import EncoderMissingError, Retry
from ethereal.render.canary import draw_canary
from ethereal.render.composition import Composition
from ethereal.render.encoder_probe import has_encoder, probe
from ethereal.render.encoder_settings import encoder_document, read_settings
from ethereal.render.encoders.h264 import H264
from ethereal.render.encoders.nvenc import H264_NVENC
from ethereal.render.formats import QUALITIES
from tests.render_fakes import NumpyRenderer

CARD = Composition("testcard", "", 320, 180, Fraction(24), 1, {})
HAS_GPU = Path("/dev/nvidiactl").exists()


def test_an_encoder_that_works_gives_the_same_bytes_each_time() -> None:
    assert has_encoder(H264)
    assert probe(H264) == probe(H264)


@pytest.mark.skipif(HAS_GPU, reason="this machine may have NVENC")
def test_nvenc_is_not_there_without_a_gpu() -> None:
    assert not has_encoder(H264_NVENC)
    with pytest.raises(EncoderMissingError, match="h264_nvenc does not work here"):
        probe(H264_NVENC)


@pytest.mark.skipif(HAS_GPU, reason="this machine may have NVENC")
def test_a_render_with_nvenc_is_for_another_worker_before_anything_is_drawn() -> None:
    settings = read_settings(encoder_document(CARD, QUALITIES["draft"], H264_NVENC))
    with pytest.raises(EncoderMissingError) as refused:
        draw_canary(NumpyRenderer(320, 180, 1, dies_at=0), (1, 2), settings)

    assert refused.value.retry is Retry.ELSEWHERE


@pytest.mark.parametrize("encoder", ["no_such_encoder", "mpeg4"])
def test_an_encoder_that_is_unknown_or_gives_another_stream_is_not_there(encoder: str) -> None:
    assert not has_encoder(replace(H264, encoder=encoder, make_options=lambda *_: {}, packet_filter=""))
