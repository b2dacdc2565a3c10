"""The sound tracks that containers carry: what they are encoded with, once, in the plan."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from ethereal.audio.rate import CANONICAL_RATE


@dataclass(frozen=True)
class Sound:
    """`file` is its name in a plan, of format `wrapper`; `frame` the samples encoded at a time."""

    codec: str
    encoder: str
    file: str
    wrapper: str
    frame: int
    sample_format: str
    is_lossy: bool = True

    @property
    def slack(self) -> Fraction:
        """By how many seconds its length may miss that of the picture: one of its frames."""
        return Fraction(self.frame, CANONICAL_RATE)


AAC = Sound("aac", "aac", "audio.m4a", "mp4", 1024, "fltp")
OPUS = Sound("opus", "libopus", "audio.webm", "webm", 960, "flt")
PCM_MOV = Sound("pcm_s24le", "pcm_s24le", "audio.mov", "mov", 1024, "s32", is_lossy=False)
PCM_WAV = Sound("pcm_s24le", "pcm_s24le", "audio.wav", "wav", 1024, "s32", is_lossy=False)
