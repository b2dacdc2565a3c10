"""Filters of finite length. SciPy's would do, but importing scipy.signal takes 0.7 s of every start."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ethereal.audio.grid import Columns
from ethereal.audio.resample import Samples


def low_pass(taps: int, cutoff: float) -> Columns:
    """Return a windowed sinc, shape (taps,), that keeps what is below `cutoff`, as a part of half the rate.

    The window is Kaiser's with a beta of 6: 63 dB down. After Oppenheim and Schafer, "Discrete-Time Signal
    Processing", 7.5.
    """
    sinc = cutoff * np.sinc(cutoff * (np.arange(taps) - (taps - 1) / 2)) * np.kaiser(taps, 6.0)
    return np.asarray(sinc / sinc.sum())


def hann(size: int) -> Columns:
    """Return one period of a Hann window, shape (size,); the next period would begin with its first value."""
    return np.asarray(0.5 + 0.5 * np.cos(np.linspace(-np.pi, np.pi, size + 1)))[:-1]


def decimate(sound: Samples, taps: NDArray[np.float32], every: int) -> Samples:
    """Filter (channels, samples) by symmetric `taps`, of odd number, and keep one sample of `every`.

    Sample j of the result lies where sample `every` * j did; beyond its ends the sound is silent.
    """
    kept, reach = -(-sound.shape[1] // every), len(taps) // 2
    padded = np.zeros((len(sound), (kept + -(-len(taps) // every)) * every), np.float32)
    padded[:, reach : reach + sound.shape[1]] = sound
    # A row of the samples for each of their places between two kept ones, so that all steps below are dense.
    places = np.ascontiguousarray(padded.reshape(len(sound), -1, every).transpose(2, 0, 1))
    result = np.zeros((len(sound), kept), np.float32)
    for index, tap in enumerate(taps):
        result += tap * places[index % every, :, index // every :][:, :kept]
    return result
