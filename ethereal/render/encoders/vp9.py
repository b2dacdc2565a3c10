"""VP9 by libvpx, for the web."""

from __future__ import annotations

from collections.abc import Mapping

from ethereal.render.encoders.codec import Codec

_VPX = {
    "b": "0",  # quality is held by `crf` alone
    "deadline": "good",
    "row-mt": "0",
    "tile-columns": "0",
    "auto-alt-ref": "1",
    "lag-in-frames": "20",
    "aq-mode": "0",
}
_EFFORTS = {"draft": (6, 40), "standard": (4, 28), "high": (2, 22)}


def _options(quality: str, gop_frames: int) -> Mapping[str, str]:
    speed, crf = _EFFORTS[quality]
    grid = {"g": str(gop_frames), "keyint_min": str(gop_frames)}
    return {"cpu-used": str(speed), "crf": str(crf), **_VPX, **grid}


VP9 = Codec(
    name="vp9",
    encoder="libvpx-vp9",
    pixel_format="yuv420p",
    make_options=_options,
    alpha_format="yuva420p",
    alpha_options={
        "auto-alt-ref": "0"
    },  # colour and alpha are two encoders, whose pictures must come in pairs
)
