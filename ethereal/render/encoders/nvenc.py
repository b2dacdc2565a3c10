"""H.264 by NVENC, the video engine of NVIDIA's GPUs: larger files than libx264's, hardly any work for cores.

Not every GPU has it (L4, A10 and T4 do; A100, H100 and B200 do not), and its bytes are those of its kind and
driver. So it is there where `ethereal.render.encoder_probe` has seen it work.
"""

from __future__ import annotations

from collections.abc import Mapping

from ethereal.render.encoders.codec import Codec

_NVENC = {
    "rc": "constqp",  # nothing is carried from one GOP to the next
    "bf": "0",
    "rc-lookahead": "0",
    "no-scenecut": "1",
    "strict_gop": "1",
    "forced-idr": "1",
    "delay": "0",
    "spatial-aq": "1",
}
#: The preset, and the quantiser of each picture.
_EFFORTS = {"draft": ("p3", 29), "standard": ("p5", 22), "high": ("p7", 19)}


def _options(quality: str, gop_frames: int) -> Mapping[str, str]:
    preset, quantiser = _EFFORTS[quality]
    return {**_NVENC, "preset": preset, "qp": str(quantiser), "g": str(gop_frames)}


H264_NVENC = Codec(
    name="h264-nvenc",
    encoder="h264_nvenc",
    pixel_format="yuv420p",
    make_options=_options,
    packet_filter="filter_units=remove_types=6",
)
