"""Codecs by name."""

from __future__ import annotations

from collections.abc import Mapping

from ethereal.render.encoders.codec import Codec
from ethereal.render.encoders.h264 import H264
from ethereal.render.encoders.hevc import HEVC
from ethereal.render.encoders.nvenc import H264_NVENC
from ethereal.render.encoders.png import PNG
from ethereal.render.encoders.prores import PRORES
from ethereal.render.encoders.vp9 import VP9

CODECS: Mapping[str, Codec] = {codec.name: codec for codec in (H264, H264_NVENC, HEVC, VP9, PRORES, PNG)}
