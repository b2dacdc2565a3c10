"""Sounds of known truth: where each onset and each beat is, in seconds. Made with numpy, always the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt

from ethereal.audio.flac import open_flac

RATE = 48_000
Sound = NDArray[np.float64]


@dataclass(frozen=True)
class Rhythm:
    """Mono sound of shape (samples,) at 48 kHz, and what is to be found in it."""

    sound: Sound
    onsets: Sequence[float] = ()
    beats: Sequence[float] = ()
    tempo: float = 0.0


def _time(seconds: float) -> Sound:
    return np.arange(round(seconds * RATE)) / RATE


def _noise(seconds: float, seed: int) -> Sound:
    return np.random.default_rng(seed).standard_normal(round(seconds * RATE))


def _filtered(sound: Sound, kind: str, hz: float | tuple[float, float]) -> Sound:
    return np.asarray(sosfilt(butter(2, hz, kind, fs=RATE, output="sos"), sound))


def kick() -> Sound:
    t = _time(0.3)
    return 0.8 * np.sin(2 * np.pi * (48 * t + 3.5 * (1 - np.exp(-t * 35)))) * np.exp(-t * 11)


def snare() -> Sound:
    t = _time(0.2)
    tone = 0.3 * np.sin(2 * np.pi * 190 * t) * np.exp(-t * 28)
    return tone + 0.35 * _filtered(_noise(0.2, 1), "highpass", 900) * np.exp(-t * 22)


def hat() -> Sound:
    return 0.25 * _filtered(_noise(0.06, 2), "highpass", 7_000) * np.exp(-_time(0.06) * 70)


def ride() -> Sound:
    return 0.2 * _filtered(_noise(0.25, 3), "highpass", 4_500) * np.exp(-_time(0.25) * 16)


def click() -> Sound:
    t = _time(0.02)
    return 0.7 * np.sin(2 * np.pi * 1_800 * t) * np.exp(-t * 250)


def note(hz: float, seconds: float = 0.5) -> Sound:
    """A plucked string: harmonics that fade, the higher the sooner."""
    t = _time(seconds)
    parts = [np.sin(2 * np.pi * hz * k * t) * np.exp(-t * (3 + 2 * k)) / k for k in range(1, 7)]
    return 0.25 * sum(parts) * np.minimum(t / 0.004, 1)


def laid(hits: Sequence[tuple[float, Sound]], seconds: float) -> Sound:
    """Lay each sound at its time, faded out at its end."""
    out = np.zeros(round(seconds * RATE))
    for start, sound in hits:
        first = round(start * RATE)
        fade = np.minimum(np.arange(len(sound), 0, -1) / min(720, len(sound)), 1)  # no click at its end
        part = (sound * fade)[: max(0, len(out) - first)]
        out[first : first + len(part)] += part
    return out


def played(
    tempo: float,
    pattern: Sequence[tuple[float, Callable[[], Sound], float]],
    *,
    bar: int = 4,
    seconds: float = 24.0,
    start: float = 0.37,
) -> Rhythm:
    """Repeat a bar of (position in beats, instrument, gain)."""
    beat = 60 / tempo
    bars = int((seconds - start - 0.5) / (bar * beat))
    sounds = {instrument: instrument() for _, instrument, _ in pattern}
    hits = [
        (start + (index * bar + position) * beat, gain * sounds[instrument])
        for index in range(bars)
        for position, instrument, gain in pattern
    ]
    return Rhythm(
        laid(hits, seconds),
        onsets=sorted({round(time, 4) for time, _ in hits}),
        beats=[start + index * beat for index in range(bars * bar)],
        tempo=tempo,
    )


def click_track(tempo: float) -> Rhythm:
    return played(tempo, [(position, click, 1) for position in range(4)])


def four_on_the_floor(tempo: float) -> Rhythm:
    kicks = [(position, kick, 1) for position in range(4)]
    hats = [(position + 0.5, hat, 1) for position in range(4)]
    return played(tempo, [*kicks, *hats, (1, snare, 0.8), (3, snare, 0.8)])


def rock(tempo: float) -> Rhythm:
    hats = [(position / 2, hat, 0.8) for position in range(8)]
    return played(tempo, [(0, kick, 1), (2, kick, 1), (2.5, kick, 0.8), (1, snare, 1), (3, snare, 1), *hats])


def waltz(tempo: float) -> Rhythm:
    return played(tempo, [(0, kick, 1), (1, snare, 0.6), (2, snare, 0.6), (1, hat, 1), (2, hat, 1)], bar=3)


def swing(tempo: float) -> Rhythm:
    rides = [(position, ride, 1) for position in (0, 1, 1 + 2 / 3, 2, 3, 3 + 2 / 3)]
    return played(tempo, [*rides, (0, kick, 0.7), (2, kick, 0.7), (1, hat, 1), (3, hat, 1)])


def breakbeat(tempo: float) -> Rhythm:
    hats = [(position / 2, hat, 0.7) for position in range(8)]
    return played(tempo, [(0, kick, 1), (2.5, kick, 1), (1, snare, 1), (3, snare, 1), *hats])


def syncopated(tempo: float) -> Rhythm:
    """No kick on the one: it comes an eighth early and late, under snares on two and four and even hats."""
    hats = [(position / 2, hat, 0.8) for position in range(8)]
    kicks = [(position, kick, 1) for position in (0.5, 2.5, 3.5)]
    return played(tempo, [*kicks, (1, snare, 1), (3, snare, 1), *hats])


def sixteenths(tempo: float) -> Rhythm:
    hats = [(position / 4, hat, 0.9 if position % 4 == 0 else 0.5) for position in range(16)]
    return played(tempo, [(0, kick, 1), (2, kick, 1), (1, snare, 1), (3, snare, 1), *hats])


def plucked(tempo: float) -> Rhythm:
    """Eighths on a string, the beats louder: no drums at all."""
    scale = [220, 330, 277.18, 440, 247, 370, 311, 494]

    def string(hz: float) -> Callable[[], Sound]:
        return lambda: note(hz)

    return played(
        tempo, [(index / 2, string(hz), 1.0 if index % 2 == 0 else 0.5) for index, hz in enumerate(scale)]
    )


def over_pad(rhythm: Rhythm, gain: float = 1.0) -> Rhythm:
    """The same rhythm above held chords and a little hiss."""
    bed = gain * pad(len(rhythm.sound) / RATE).sound + 0.002 * _noise(len(rhythm.sound) / RATE, 9)
    return Rhythm(rhythm.sound + bed, rhythm.onsets, rhythm.beats, rhythm.tempo)


def silence(seconds: float = 20.0) -> Rhythm:
    return Rhythm(np.zeros(round(seconds * RATE)))


def white_noise(level: float = 0.2, seed: int = 4) -> Rhythm:
    return Rhythm(level * _noise(20.0, seed))


def pink_noise(level: float = 0.2, seed: int = 5) -> Rhythm:
    spectrum = np.fft.rfft(_noise(20.0, seed))
    spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum)), 1))
    sound = np.fft.irfft(spectrum)
    return Rhythm(level * sound / np.std(sound))


def pad(seconds: float = 20.0) -> Rhythm:
    """Chords that swell into one another every five seconds, with vibrato."""
    t = _time(seconds)
    chords = [(220, 277.2, 329.6), (174.6, 220, 261.6), (196, 246.9, 293.7), (164.8, 207.7, 246.9)]
    out = np.zeros(len(t))
    for index in range(int(seconds / 5) + 1):
        envelope = np.clip(1 - np.abs(t - 5 * index - 2.5) / 3.5, 0, 1)
        for hz in chords[index % 4]:
            phase = 2 * np.pi * hz * t + 1.5 * np.sin(2 * np.pi * 5 * t)
            out += envelope * (np.sin(phase) + 0.4 * np.sin(2 * phase) + 0.2 * np.sin(3 * phase))
    return Rhythm(0.05 * out)


def rain(seconds: float = 20.0) -> Rhythm:
    """Drops at times without any order."""
    rng = np.random.default_rng(6)
    times = np.cumsum(rng.exponential(0.3, round(seconds / 0.3)))
    drop = click()
    hits = [(time, rng.uniform(0.3, 1) * drop) for time in times if time < seconds - 1]
    return Rhythm(laid(hits, seconds), onsets=[time for time, _ in hits])


def speech(seconds: float = 20.0) -> Rhythm:
    """Syllables of uneven length and pitch, with pauses between phrases."""
    rng = np.random.default_rng(7)
    hits, now = [], 0.2
    while now < seconds - 1:
        length = rng.uniform(0.08, 0.3)
        t = _time(length)
        voice = np.sign(np.sin(2 * np.pi * rng.uniform(100, 160) * t)) + 0.3 * _noise(length, len(hits))
        voice = _filtered(voice, "bandpass", tuple(sorted((rng.uniform(300, 700), rng.uniform(1000, 2500)))))
        hits.append((now, 0.3 * voice * np.sin(np.pi * t / length) ** 0.7))
        now += length + (rng.uniform(0.3, 0.9) if rng.random() < 0.15 else rng.uniform(0.0, 0.08))
    return Rhythm(laid(hits, seconds), onsets=[time for time, _ in hits])


def drifting(first: float = 100.0, last: float = 116.0, beats: int = 44) -> Rhythm:
    """A player who speeds up: kick and snare in turn, hats between."""
    lengths = 60 / np.linspace(first, last, beats)
    times = 0.4 + np.concatenate([[0], np.cumsum(lengths)[:-1]])
    return _followed(times, lengths)


def rubato(tempo: float = 90.0, depth: float = 0.12, beats: int = 40) -> Rhythm:
    """A player who lingers and hurries by `depth` in phrases of eight beats: a plucked string."""
    lengths = 60 / tempo * (1 + depth * np.sin(2 * np.pi * np.arange(beats) / 8))
    times = 0.4 + np.concatenate([[0], np.cumsum(lengths)[:-1]])
    between = times[:-1] + lengths[:-1] / 2
    scale = [220, 277.18, 330, 440, 247, 311, 370, 494]
    strong = [(time, note(scale[index % 8])) for index, time in enumerate(times)]
    weak = [(time, 0.4 * note(scale[(index + 3) % 8])) for index, time in enumerate(between)]
    return Rhythm(
        laid([*strong, *weak], times[-1] + 1.5),
        onsets=sorted([*times, *between]),
        beats=list(times),
        tempo=float(60 / np.median(lengths)),
    )


def _followed(times: Sound, lengths: Sound) -> Rhythm:
    between = times[:-1] + lengths[:-1] / 2
    drums = [(time, kick() if index % 2 == 0 else snare()) for index, time in enumerate(times)]
    hats = [(time, hat()) for time in between]
    return Rhythm(
        laid([*drums, *hats], times[-1] + 1.5),
        onsets=sorted([*times, *between]),
        beats=list(times),
        tempo=float(60 / np.median(lengths)),
    )


#: Sounds of every kind that onsets and beats are to be found in, or not.
CLASSES: dict[str, Sequence[Callable[[], Rhythm]]] = {
    "click": [lambda tempo=tempo: click_track(tempo) for tempo in (60, 90, 120, 150, 174)],
    "four on the floor": [lambda tempo=tempo: four_on_the_floor(tempo) for tempo in (90, 100, 124, 128, 140)],
    "swing": [lambda tempo=tempo: swing(tempo) for tempo in (100, 120, 150, 180)],
    "tempo ramp": [drifting, lambda: drifting(130, 112), lambda: drifting(90, 120, 60)],
    "rubato": [rubato, lambda: rubato(72, 0.08), lambda: rubato(110, 0.1)],
    "three four": [lambda tempo=tempo: waltz(tempo) for tempo in (90, 120, 144, 180)],
    "syncopation": [lambda tempo=tempo: syncopated(tempo) for tempo in (85, 100, 120, 140)],
    "noise": [white_noise, lambda: white_noise(0.02, 11), pink_noise, rain],
    "silence": [silence],
    "pad": [pad],
    "speech": [speech],
}


def f_measure(found: Sequence[float], truth: Sequence[float], tolerance: float) -> float:
    """F of a greedy one-to-one match in time order: each truth is met at most once."""
    met = 0
    waiting = sorted(found)
    for time in sorted(truth):
        waiting = [other for other in waiting if other >= time - tolerance]
        if waiting and waiting[0] <= time + tolerance:
            met += 1
            waiting.pop(0)
    return 2 * met / (len(found) + len(truth)) if len(found) + len(truth) else 1.0


def write_canonical(path: Path, sound: Sound) -> Path:
    """Write mono sound, or stereo of shape (samples, 2), as canonical audio."""
    stereo = (sound if sound.ndim == 2 else np.column_stack([sound, sound])).astype(np.float32)
    with open_flac(path) as write:
        for start in range(0, len(stereo), RATE):
            write(stereo[start : start + RATE])
    return path
