"""Integrated loudness and true peak of stereo sound, block by block, after ITU-R BS.1770-4."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ethereal.audio.fir import low_pass
from ethereal.audio.resample import Samples
from ethereal.audio.weighting import KWeighting

STEPS_A_SECOND = 10
STEPS_IN_BLOCK = 4  # 400 ms, moved by 100 ms
ABSOLUTE_GATE = -70.0  # LUFS
RELATIVE_GATE = -10.0  # LU
OFFSET = -0.691  # of the standard: a tone of 997 Hz on both sides has its peak level as its loudness
OVERSAMPLING = 4
TAPS = 16  # of each phase between two samples
_RUN = 4096  # samples whose peaks are looked for at once


@dataclass(frozen=True)
class Level:
    """`lufs` over the whole sound, `true_peak` in dB of full scale; None for silence."""

    lufs: float | None
    true_peak: float | None

    def raised(self, decibels: float) -> Level:
        """What the same sound measures after a gain."""
        if self.lufs is None or self.true_peak is None:
            return self
        return Level(self.lufs + decibels, self.true_peak + decibels)


def measure_level(blocks: Iterable[Samples], rate: int) -> Level:
    meter = LevelMeter(rate)
    for block in blocks:
        meter.hear(block)
    return meter.finish()


class LevelMeter:
    """Hears sound block by block; `rate` must be a multiple of ten."""

    def __init__(self, rate: int) -> None:
        self._hop = rate // STEPS_A_SECOND
        self._weighting = KWeighting(rate)
        self._steps: list[NDArray[np.float64]] = []
        self._rest = np.zeros(0)
        self._heard = np.zeros((TAPS, 2), np.float32)
        self._peak = 0.0

    def hear(self, block: Samples) -> None:
        if not len(block):
            return
        weighted = self._weighting.hear(block.T)
        energy = np.concatenate([self._rest, np.einsum("cs,cs->s", weighted, weighted)])
        whole = len(energy) - len(energy) % self._hop
        self._steps.append(energy[:whole].reshape(-1, self._hop).sum(axis=1))
        self._rest = energy[whole:]
        self._look_for_peak(block)

    def finish(self) -> Level:
        """What was heard from the start to this end."""
        self._look_for_peak(np.zeros((TAPS, 2), np.float32))
        steps = np.concatenate([np.zeros(0), *self._steps])
        energy = gated_energy(steps / self._hop)
        if len(steps) < STEPS_IN_BLOCK:  # too short for the standard: all there is, without gates
            count = len(steps) * self._hop + len(self._rest)
            energy = (steps.sum() + self._rest.sum()) / max(count, 1)
        peak = 20 * math.log10(self._peak) if self._peak > 0 else None
        return Level(lufs_of(energy) if energy > 0 else None, peak)

    def _look_for_peak(self, block: Samples) -> None:
        joined = np.concatenate([self._heard, block])
        for start in range(0, len(joined) - TAPS, _RUN):
            run = joined[start : start + _RUN + TAPS]
            loudest = float(np.abs(run).max())
            self._peak = max(self._peak, loudest)
            if loudest * MOST_BETWEEN > self._peak:
                self._peak = max(self._peak, _peak_between(run))
        self._heard = joined[-TAPS:]


def gated_energy(steps: NDArray[np.float64]) -> float:
    """Mean of the K-weighted energy over the blocks that both gates let through; 0 if there are none."""
    if len(steps) < STEPS_IN_BLOCK:
        return 0.0
    blocks = sliding_window_view(steps, STEPS_IN_BLOCK).mean(axis=1)
    loud = blocks[blocks > energy_of(ABSOLUTE_GATE)]
    if not len(loud):
        return 0.0
    return float(loud[loud > loud.mean() * 10 ** (RELATIVE_GATE / 10)].mean())


def lufs_of(energy: float) -> float:
    return OFFSET + 10 * math.log10(energy)


def energy_of(lufs: float) -> float:
    return float(10 ** ((lufs - OFFSET) / 10))


def _between() -> NDArray[np.float32]:
    """The taps that give the values a quarter, a half and three quarters after a sample; shape (TAPS, 3)."""
    taps = low_pass(OVERSAMPLING * TAPS + 1, 1 / OVERSAMPLING) * OVERSAMPLING
    phases = [taps[phase::OVERSAMPLING][:TAPS] for phase in (3, 2, 1)]
    return np.stack(phases, axis=1).astype(np.float32)


BETWEEN = _between()
#: However the samples lie, no value between them is higher than the highest of them by more.
MOST_BETWEEN = float(np.abs(BETWEEN).sum(axis=0).max())


def _peak_between(run: Samples) -> float:
    windows = sliding_window_view(run, TAPS, axis=0)  # (positions, sides, TAPS)
    values = np.ascontiguousarray(windows).reshape(-1, TAPS) @ BETWEEN
    return float(np.abs(values).max())
