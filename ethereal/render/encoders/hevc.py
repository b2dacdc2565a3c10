"""HEVC by libx265: fewer bytes than H.264 for the same picture; what players want from 4K on."""

from __future__ import annotations

from collections.abc import Mapping

from ethereal.render.encoders.codec import Codec, join_parameters

_X265 = {
    "pools": "none",
    "frame-threads": 1,
    "wpp": 0,
    "pmode": 0,
    "pme": 0,
    "lookahead-slices": 0,
    "rc-lookahead": 5,  # 20 and four B-frames took half as much memory again, more time, and no fewer bytes
    "bframes": 3,
    "scenecut": 0,
    "open-gop": 0,
    "weightp": 0,  # x265 weighs small pictures otherwise about once in a hundred runs (seen)
    "aq-mode": 3,  # spends bits on the dark gradients that band first
    # Without these four the dither that hides banding is smoothed away (a tenth less of it than in H.264).
    "sao": 0,
    "strong-intra-smoothing": 0,
    "rdoq-level": 0,
    "psy-rd": 2.5,
    "chromaloc": 1,  # chroma is the mean of its four pixels, so it sits between them
    "info": 0,  # x265 would spell out its version and options in every GOP
    "repeat-headers": 0,  # `hvc1` keeps them beside the pictures
    "log-level": "error",
}
_EFFORTS = {"draft": ("ultrafast", 28), "standard": ("fast", 18), "high": ("medium", 15)}


def _options(quality: str, gop_frames: int) -> Mapping[str, str]:
    preset, crf = _EFFORTS[quality]
    return {
        "preset": preset,
        "crf": str(crf),
        "x265-params": join_parameters({**_X265, "keyint": gop_frames, "min-keyint": gop_frames}),
    }


HEVC = Codec(
    name="hevc",
    encoder="libx265",
    pixel_format="yuv420p",
    make_options=_options,
    tag="hvc1",  # the only one that Apple's players take
    reorder=2,  # with its pyramid of B-frames; FFmpeg does not tell
)
