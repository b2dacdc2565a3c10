"""PNG: the pixels as they were drawn, every frame for itself; a quality only says how hard to pack them."""

from __future__ import annotations

from collections.abc import Mapping

from ethereal.render.encoders.codec import SRGB_FULL, Codec

_EFFORTS = {"draft": 1, "standard": 4, "high": 7}


def _options(quality: str, gop_frames: int) -> Mapping[str, str]:
    return {"compression_level": str(_EFFORTS[quality]), "pred": "mixed"}


PNG = Codec(
    name="png",
    encoder="png",
    pixel_format="rgb24",
    make_options=_options,
    colour=SRGB_FULL,
    wrapper="mov",
    is_intra=True,
    alpha_format="rgba",
)
