"""The instruments of the sample: each a function of numpy that returns mono or stereo sound at 44.1 kHz."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, fftconvolve, sosfilt

RATE = 44_100
Sound = NDArray[np.float64]
TABLE = 4096


def seconds(length: float) -> Sound:
    """Return the times of a sound of `length` seconds."""
    return np.arange(round(length * RATE)) / RATE


def hertz(note: float) -> float:
    """Return the pitch of a MIDI note."""
    return float(440 * 2 ** ((note - 69) / 12))


def noise(length: float, seed: int) -> Sound:
    """Return white noise, the same for the same seed."""
    return np.random.default_rng(seed).standard_normal(round(length * RATE))


def filtered(sound: Sound, kind: str, hz: float | tuple[float, float], order: int = 2) -> Sound:
    """Return the sound through a Butterworth filter."""
    return np.asarray(sosfilt(butter(order, hz, kind, fs=RATE, output="sos"), sound, axis=0))


def saw_table(cutoff_harmonic: float, count: int = 60) -> Sound:
    """Return one cycle of a saw whose harmonics fall off softly above one of them."""
    phase = np.arange(TABLE) / TABLE
    harmonics = np.arange(1, count + 1)
    strengths = 1 / harmonics / np.sqrt(1 + (harmonics / cutoff_harmonic) ** 4)
    return np.asarray((strengths[:, None] * np.sin(2 * np.pi * np.outer(harmonics, phase))).sum(axis=0))


def turned(table: Sound, hz: float, length: float, phase: float = 0.0) -> Sound:
    """Play a table at a pitch."""
    places = (phase + hz * seconds(length)) % 1 * TABLE
    return np.interp(places, np.arange(TABLE + 1), np.append(table, table[0]))


def swell(length: float, attack: float, release: float) -> Sound:
    """Return an envelope that rises, holds, and falls at its end."""
    t = seconds(length)
    return np.asarray(np.clip(np.minimum(t / attack, (length - t) / release), 0, 1) ** 1.5)


def strings(notes: tuple[int, ...], length: float, *, bright: float, voices: int, seed: int) -> Sound:
    """Return a chord of detuned saws spread over both sides, shape (samples, 2)."""
    rng = np.random.default_rng(seed)
    out = np.zeros((len(seconds(length)), 2))
    for note in notes:
        table = saw_table(bright / hertz(note), max(2, min(60, int(15_000 / hertz(note)))))
        for voice in range(voices):
            place = voice / max(voices - 1, 1)
            detuned = hertz(note + (place - 0.5) * 0.28)
            sound = turned(table, detuned, length, rng.random())
            out += sound[:, None] * np.sqrt([1 - place, place])
    return out / len(notes) / np.sqrt(voices)


def bell(note: float, length: float = 2.0) -> Sound:
    """Return a soft bell: a sine that another one stirs while it fades."""
    t = seconds(length)
    stir = 1.6 * np.exp(-t * 5) * np.sin(2 * np.pi * 3.5 * hertz(note) * t)
    body = np.sin(2 * np.pi * hertz(note) * t + stir) + 0.25 * np.sin(4 * np.pi * hertz(note) * t) * np.exp(
        -t * 4
    )
    return np.asarray(body * np.exp(-t * 2.6) * np.minimum(t / 0.004, 1) * swell(length, 1e-4, 0.1))


def pluck(note: float, length: float = 0.6) -> Sound:
    """Return a short string that darkens as it fades."""
    t = seconds(length)
    bright = turned(saw_table(9, 24), hertz(note), length)
    dark = turned(saw_table(2, 24), hertz(note), length)
    mix = np.exp(-t * 14)
    return np.asarray((mix * bright + (1 - mix) * dark) * np.exp(-t * 6) * np.minimum(t / 0.003, 1))


def lead(note: float, length: float) -> Sound:
    """Return a singing voice with a late vibrato."""
    t = seconds(length)
    vibrato = 0.0025 * np.clip((t - 0.25) / 0.4, 0, 1) * np.sin(2 * np.pi * 5.2 * t)
    phase = np.cumsum(hertz(note) * (1 + vibrato)) / RATE
    table = saw_table(5, 30)
    sound = np.interp(phase % 1 * TABLE, np.arange(TABLE + 1), np.append(table, table[0]))
    return np.asarray(sound * swell(length, 0.02, 0.12))


def bass(note: float, length: float) -> Sound:
    """Return a round bass: a sine with a growl that fades."""
    t = seconds(length)
    growl = turned(saw_table(6, 20), hertz(note), length) * np.exp(-t * 7)
    return np.asarray((np.sin(2 * np.pi * hertz(note) * t) + 0.45 * growl) * swell(length, 0.006, 0.05))


def kick() -> Sound:
    """Return a deep drum with a click on top."""
    t = seconds(0.42)
    body = np.sin(2 * np.pi * (47 * t + 4.2 * (1 - np.exp(-t * 32)))) * np.exp(-t * 8.5)
    click = filtered(noise(0.42, 11), "highpass", 2500) * np.exp(-t * 260) * 0.22
    return np.asarray((body + click) * swell(0.42, 5e-4, 0.05))


def clap() -> Sound:
    """Return three short bursts and a tail."""
    t = seconds(0.32)
    bursts = sum(np.where(t >= d, np.exp(-(t - d) * 190), 0) for d in (0.0, 0.011, 0.023))
    shape = 0.55 * bursts + np.where(t >= 0.03, np.exp(-(t - 0.03) * 19), 0)
    return filtered(noise(0.32, 12), "bandpass", (850, 5200)) * shape * swell(0.32, 1e-4, 0.1)


def snare() -> Sound:
    """Return a tight drum for the roll."""
    t = seconds(0.16)
    tone = np.sin(2 * np.pi * 195 * t) * np.exp(-t * 34)
    return np.asarray(0.5 * tone + 0.5 * filtered(noise(0.16, 13), "highpass", 1400) * np.exp(-t * 30))


def hat(length: float, seed: int) -> Sound:
    """Return a cymbal that closes within `length` seconds."""
    t = seconds(length)
    return (
        filtered(noise(length, seed), "bandpass", (7_000, 15_000))
        * np.exp(-t * 5 / length)
        * swell(length, 5e-4, 0.01)
    )


def riser(length: float) -> Sound:
    """Return wind that climbs and grows."""
    part = seconds(length) / length
    wind = noise(length, 14)
    layers = [filtered(wind, "bandpass", (hz, hz * 1.6)) for hz in (500, 900, 1_600, 2_900, 5_200)]
    places = np.linspace(0.1, 0.95, len(layers))
    mix = sum(
        layer * np.exp(-(((part - place) / 0.2) ** 2)) for layer, place in zip(layers, places, strict=True)
    )
    return np.asarray(mix * part**2)


def room(sound: Sound, length: float = 2.4, seed: int = 15) -> Sound:
    """Return only the echo of a wide hall; shape (samples + tail, 2)."""
    t = seconds(length)
    sides = []
    for side in (0, 1):
        tail = filtered(filtered(noise(length, seed + side), "lowpass", 5_500), "highpass", 220)
        tail *= np.exp(-t * 6.5 / length) * np.minimum(t / 0.02, 1)
        mono = sound if sound.ndim == 1 else sound[:, side]
        sides.append(fftconvolve(mono, tail / np.sqrt(np.sum(tail**2))))
    return np.stack(sides, axis=1)


def echoes(sound: Sound, gap: float, *, fade: float = 0.45, count: int = 4) -> Sound:
    """Return repeats of a mono sound that go from side to side, without the sound itself."""
    step = round(gap * RATE)
    out = np.zeros((len(sound) + count * step, 2))
    for index in range(1, count + 1):
        side = np.array([0.85, 0.35]) if index % 2 else np.array([0.35, 0.85])
        out[index * step : index * step + len(sound)] += sound[:, None] * fade**index * side
    return out
