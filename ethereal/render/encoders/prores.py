"""ProRes 4444 by prores_ks: ten bits, full colour, every frame for itself; for editing.

Opaque pictures get no alpha channel: one that is all ones would only cost space.
"""

from __future__ import annotations

from collections.abc import Mapping

from ethereal.render.encoders.codec import Codec

#: Bits for a block of 16x16; FFmpeg's own choice for 4444 lies between standard and high.
_BITS = {"draft": 1000, "standard": 2000, "high": 4000}


def _options(quality: str, gop_frames: int) -> Mapping[str, str]:
    return {"profile": "4444", "vendor": "apl0", "bits_per_mb": str(_BITS[quality])}


PRORES = Codec(
    name="prores",
    encoder="prores_ks",
    pixel_format="yuv444p10le",
    make_options=_options,
    wrapper="mov",
    tag="ap4h",  # 4444; FFmpeg would take it for 422
    is_intra=True,
    alpha_format="yuva444p10le",
    alpha_options={"alpha_bits": "8"},  # all there is, kept exactly; 16 take twice the bytes
)
