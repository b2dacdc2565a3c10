"""Integrated loudness and true peak of stereo sound, block by block, after ITU-R BS.1770-4."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.signal import firwin, sosfilt

from ethereal.audio.resample import Samples

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
        self._filter = weighting(rate)
        self._state = np.zeros((2, 2, 2))
        self._steps: list[NDArray[np.float64]] = []
        self._rest = np.zeros(0)
        self._heard = np.zeros((TAPS, 2), np.float32)
        self._peak = 0.0

    def hear(self, block: Samples) -> None:
        if not len(block):
            return
        weighted, self._state = sosfilt(self._filter, block, axis=0, zi=self._state)
        energy = np.concatenate([self._rest, np.square(weighted).sum(axis=1)])
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


def weighting(rate: int) -> NDArray[np.float64]:
    """K-weighting as two second-order sections, shape (2, 6); at 48 kHz with the numbers of the standard."""
    return np.array([_shelf(rate), _high_pass(rate)])


def _shelf(rate: int) -> list[float]:
    gain, quality = 10 ** (3.999843853973347 / 20), 0.7071752369554196
    k = math.tan(math.pi * 1681.974450955533 / rate)
    middle = gain**0.4996667741545416
    norm = 1 + k / quality + k * k
    return [
        (gain + middle * k / quality + k * k) / norm,
        2 * (k * k - gain) / norm,
        (gain - middle * k / quality + k * k) / norm,
        1.0,
        2 * (k * k - 1) / norm,
        (1 - k / quality + k * k) / norm,
    ]


def _high_pass(rate: int) -> list[float]:
    quality = 0.5003270373238773
    k = math.tan(math.pi * 38.13547087602444 / rate)
    norm = 1 + k / quality + k * k
    return [1.0, -2.0, 1.0, 1.0, 2 * (k * k - 1) / norm, (1 - k / quality + k * k) / norm]


def _between() -> NDArray[np.float32]:
    """The taps that give the values a quarter, a half and three quarters after a sample; shape (TAPS, 3)."""
    taps = firwin(OVERSAMPLING * TAPS + 1, 1 / OVERSAMPLING, window=("kaiser", 6.0)) * OVERSAMPLING
    phases = [taps[phase::OVERSAMPLING][:TAPS] for phase in (3, 2, 1)]
    return np.stack(phases, axis=1).astype(np.float32)


BETWEEN = _between()
#: However the samples lie, no value between them is higher than the highest of them by more.
MOST_BETWEEN = float(np.abs(BETWEEN).sum(axis=0).max())


def _peak_between(run: Samples) -> float:
    windows = sliding_window_view(run, TAPS, axis=0)  # (positions, sides, TAPS)
    values = np.ascontiguousarray(windows).reshape(-1, TAPS) @ BETWEEN
    return float(np.abs(values).max())
