"""The eight bands of hearing that pictures react to, and the one fixed scale from power to level."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ethereal.audio.grid import Columns

LEVEL_RANGE_DB = 48.0


@dataclass(frozen=True)
class Band:
    """A range of pitch in Hz. `top` is the power in dBFS that gives level 1; attack and release in seconds.

    Tops follow the spectrum of mastered music, so that each band fills 0 to 1 in a loud chorus.
    """

    name: str
    low: float
    high: float
    top: float
    attack: float
    release: float


BANDS = (
    Band("sub", 20, 60, -12, 0.012, 0.32),
    Band("bass", 60, 250, -10, 0.010, 0.28),
    Band("low_mid", 250, 500, -15, 0.010, 0.25),
    Band("mid", 500, 2_000, -15, 0.008, 0.22),
    Band("upper_mid", 2_000, 4_000, -21, 0.006, 0.20),
    Band("presence", 4_000, 6_000, -25, 0.005, 0.18),
    Band("brilliance", 6_000, 12_000, -25, 0.005, 0.16),
    Band("air", 12_000, 20_000, -32, 0.005, 0.14),
)


def decibels(power: Columns) -> Columns:
    """Express mean squares in dB of full scale; silence is -200."""
    return np.asarray(10 * np.log10(np.maximum(power, 1e-20)))


def level(power: Columns, top: Columns | float, span: float = LEVEL_RANGE_DB) -> Columns:
    """Map mean squares to 0..1: 1 at `top` dBFS and above, 0 at `span` dB below it and in silence."""
    return np.asarray(np.clip((decibels(power) - top) / span + 1, 0.0, 1.0))
