"""Loudness and true peak by ITU-R BS.1770-5: for people, and for bringing sound to a target."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.signal import firwin, upfirdn

from ethereal.audio.bands import decibels
from ethereal.audio.energy import WEIGHTED, EnergyMeter
from ethereal.audio.grid import MARGIN, Columns, read_stretches
from ethereal.audio.resample import Samples

STEPS_PER_BLOCK = 80  # 400 ms
STEPS_PER_MOVE = 20  # 100 ms
OFFSET = -0.691  # of the standard: a full-scale tone of 1 kHz on one side is -3.01 LUFS
ABSOLUTE_GATE = -70.0
RELATIVE_GATE = -10.0
OVERSAMPLING = 4
SILENT = -200.0


@dataclass(frozen=True)
class Loudness:
    """`integrated` in LUFS over the whole sound, `true_peak` in dB of full scale; SILENT if there is none."""

    integrated: float
    true_peak: float


def measure_loudness(canonical: Path) -> Loudness:
    """Measure canonical audio, in blocks."""
    meter, steps, peak = EnergyMeter(), [], 0.0
    for stretch in read_stretches(canonical):
        steps.append(meter.measure(stretch[:, MARGIN:-MARGIN])[:, WEIGHTED])
        peak = max(peak, _true_peak(stretch))
    return Loudness(integrated_loudness(np.concatenate(steps)), float(decibels(np.array(peak**2))))


def lufs(energy: Columns) -> Columns:
    """Express K-weighted mean squares, summed over the sides, in LUFS."""
    return np.asarray(decibels(energy) + OFFSET)


def integrated_loudness(steps: Columns) -> float:
    """Return the gated loudness of K-weighted energy in steps of HOP samples, in LUFS."""
    sums = np.convolve(steps, np.ones(STEPS_PER_BLOCK) / STEPS_PER_BLOCK, "valid")[::STEPS_PER_MOVE]
    loud = sums[lufs(sums) > ABSOLUTE_GATE]
    if len(loud) == 0:
        return SILENT
    gated = loud[lufs(loud) > lufs(loud.mean()) + RELATIVE_GATE]
    return float(lufs(gated.mean()))


def _true_peak(sound: Samples) -> float:
    taps = firwin(12 * OVERSAMPLING + 1, 1 / OVERSAMPLING, window=("kaiser", 6.0)) * OVERSAMPLING
    return float(np.abs(upfirdn(taps.astype(np.float32), sound, up=OVERSAMPLING, axis=1)).max())
