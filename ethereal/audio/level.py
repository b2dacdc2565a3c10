"""Brings sound to a loudness by one gain for all of it, as far as its peaks leave room."""

from __future__ import annotations

from dataclasses import dataclass

from ethereal.audio.meter import Level
from ethereal.jobs.request import Loudness, Record

TOLERANCE = 0.1  # LU


class LoudnessResult(Record):
    """What the sound came to; `limited`: its peaks left too little room to be as loud as was wanted.

    `lufs` and `true_peak` (dB of full scale) are None for silence, `gain` is in dB.
    """

    lufs: float | None
    true_peak: float | None
    gain: float
    limited: bool


@dataclass(frozen=True)
class Gain:
    decibels: float
    limited: bool

    @property
    def factor(self) -> float:
        return float(10 ** (self.decibels / 20))


def gain_to(wanted: Loudness, level: Level, spare: float) -> Gain:
    """The gain that brings `level` to what is wanted, with its true peak `spare` dB below the highest."""
    if level.lufs is None or level.true_peak is None:
        return Gain(0.0, limited=False)
    to_target = wanted.target - level.lufs
    room = wanted.true_peak - spare - level.true_peak
    return Gain(min(to_target, room), limited=room < to_target)


def is_reached(wanted: Loudness, level: Level, gain: Gain) -> bool:
    """Whether what a gain came to is as loud as was wanted, or as its peaks allow, and not above them."""
    if level.lufs is None or level.true_peak is None:
        return True
    is_loud = gain.limited or abs(level.lufs - wanted.target) <= TOLERANCE
    return is_loud and level.true_peak <= wanted.true_peak


def result_of(gain: Gain, level: Level) -> LoudnessResult:
    return LoudnessResult(
        lufs=_rounded(level.lufs),
        true_peak=_rounded(level.true_peak),
        gain=round(gain.decibels, 2),
        limited=gain.limited,
    )


def _rounded(decibels: float | None) -> float | None:
    return None if decibels is None else round(decibels, 2)
