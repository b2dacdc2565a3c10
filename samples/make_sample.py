"""Writes ethereal-sample.flac: half a minute of our own music, for the first video a newcomer makes.

`python samples/make_sample.py` gives the same bytes every time. Quiet chords and bells, a groove, a build-up,
the lift, and an ending that fades: something for every feature that a picture reacts to.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from instruments import (
    RATE,
    Sound,
    bass,
    bell,
    clap,
    echoes,
    filtered,
    hat,
    kick,
    lead,
    pluck,
    riser,
    room,
    snare,
    strings,
    swell,
)
from scipy.ndimage import minimum_filter1d, uniform_filter1d
from scipy.signal import resample_poly

TEMPO = 110
BEAT = 60 / TEMPO
BAR = 4 * BEAT
BARS = 11
LENGTH = BARS * BAR + 3.2
LOUDNESS_GAIN = 0.88
CEILING = 10 ** (-1.5 / 20)

# Roots and chords, one a bar, in F: IV V | vi IV I V | vi IV I V | IV, and I for the end.
ROOTS = (34, 36, 38, 34, 41, 36, 38, 34, 41, 36, 34, 41)
CHORDS = (
    *((53, 57, 60, 62), (52, 55, 60, 62)),
    *((53, 57, 60, 64), (53, 57, 60, 62), (53, 57, 60, 67), (52, 55, 60, 62)) * 2,
    *((53, 57, 60, 62), (53, 57, 60, 64)),
)
GROOVE, LIFT, OUTRO = 2, 6, 10
BELLS = (
    *((0, 69), (1, 72), (1.5, 74), (2.5, 72), (4, 67), (5, 72), (5.5, 74), (6.5, 76)),
    *((40, 74), (41, 72), (42, 69), (43, 67), (44, 69), (45.5, 72), (46.5, 77)),
)
SONG = (
    *((0, 77, 1.5), (1.5, 76, 0.5), (2, 74, 1), (3, 69, 1)),
    *((4, 74, 1.5), (5.5, 72, 0.5), (6, 74, 1), (7, 77, 1)),
    *((8, 72, 1.5), (9.5, 69, 0.5), (10, 72, 1), (11, 81, 1)),
    *((12, 79, 2), (14, 76, 1), (15, 74, 0.5), (15.5, 72, 0.5)),
)


def canvas() -> Sound:
    return np.zeros((round(LENGTH * RATE), 2))


def lay(onto: Sound, sound: Sound, beat: float, gain: float = 1.0, pan: float = 0.0) -> None:
    """Add a sound at a beat; `pan` goes from -1, left, to 1, right."""
    start = round(beat * BEAT * RATE)
    stereo = (
        sound if sound.ndim == 2 else sound[:, None] * np.sqrt([(1 - pan) / 2, (1 + pan) / 2]) * np.sqrt(2)
    )
    part = stereo[: len(onto) - start]
    onto[start : start + len(part)] += gain * part


def pads() -> Sound:
    """Warm chords all along, brighter and wider in the lift."""
    out = canvas()
    for bar, chord in enumerate(CHORDS):
        last = bar == BARS
        length = 3.2 if last else BAR + 0.35
        lifted = LIFT <= bar < OUTRO
        warm = strings(chord, length, bright=520 if lifted else 380, voices=4, seed=20 + bar)
        lay(out, warm * swell(length, 0.25, 2.6 if last else 0.4)[:, None], 4 * bar, 0.6 if lifted else 0.36)
        if lifted:
            high = strings(tuple(note + 12 for note in chord), BAR, bright=2600, voices=5, seed=40 + bar)
            lay(out, high * swell(BAR, 0.01, 0.1)[:, None], 4 * bar, 0.32)
    return out


def bells() -> Sound:
    dry = canvas()
    for index, (beat, note) in enumerate(BELLS):
        lay(dry, bell(note), beat, 0.2, pan=0.35 if index % 2 else -0.35)
    return dry


def plucks() -> Sound:
    """Broken chords in eighths that come out of the distance before the lift and sparkle in it."""
    out = canvas()
    for step in range((OUTRO - GROOVE) * 8):
        bar = GROOVE + step // 8
        chord = CHORDS[bar]
        note = (chord[0], chord[2], chord[1], chord[3], chord[2], chord[3], chord[1], chord[2])[step % 8] + 12
        gain = 0.05 + 0.06 * min(step / 30, 1) + (0.02 if step % 2 == 0 else 0)
        lay(out, pluck(note), 4 * GROOVE + step / 2, gain, pan=0.5 * (-1) ** step)
    return out


def melody() -> Sound:
    out = canvas()
    for beat, note, length in SONG:
        lay(out, lead(note, length * BEAT), 4 * LIFT + beat, 0.17)
        lay(out, bell(note + 12, 1.0), 4 * LIFT + beat, 0.045, pan=0.3)
    return out


def bass_line() -> Sound:
    """Off the beat, between the kicks, with a step up into the next chord."""
    out = canvas()
    for bar in range(GROOVE, OUTRO):
        root, following = ROOTS[bar], ROOTS[bar + 1]
        gain = 0.30 if bar < LIFT else 0.36
        for beat in (0.5, 1.5, 2.5):
            lay(out, bass(root, 0.42 * BEAT), 4 * bar + beat, gain)
        lay(out, bass(root, 0.9 * BEAT), 4 * bar, gain * 0.5)
        if bar != LIFT - 1:
            lay(out, bass(following, 0.42 * BEAT), 4 * bar + 3.5, gain)
    return out


def kicks() -> list[tuple[float, float]]:
    """Return beat and strength; the drum rests in the last bar before the lift."""
    groove = [(4 * GROOVE + beat, 0.62) for beat in range(4 * (LIFT - GROOVE) - 2)]
    lift = [(4 * LIFT + beat, 0.78) for beat in range(4 * (OUTRO - LIFT))]
    return [*groove, *lift, (4 * OUTRO, 0.5)]


def drums() -> Sound:
    out = canvas()
    for beat, gain in kicks():
        lay(out, kick(), beat, gain)
    for bar in range(GROOVE + 1, OUTRO):
        lifted = bar >= LIFT
        for beat in (1, 3):
            lay(out, clap(), 4 * bar + beat, 0.42 if lifted else 0.26)
        for beat in range(4 if bar != LIFT - 1 else 3):
            lay(
                out,
                hat(0.16 if lifted else 0.07, 50 + beat),
                4 * bar + beat + 0.5,
                0.26 if lifted else 0.16,
                0.2,
            )
    for step in range(16 * (OUTRO - LIFT)):
        lay(out, hat(0.04, 60 + step % 4), 4 * LIFT + step / 4, (0.10, 0.04, 0.07, 0.05)[step % 4], -0.25)
    return out


def build_up() -> Sound:
    """The bar before the lift: wind, a roll that grows, half a beat of breath, and the crash."""
    out = canvas()
    lay(out, riser(1.5 * BAR), 4 * LIFT - 6.5, 0.5)
    for step in range(14):
        lay(out, snare(), 4 * LIFT - 4 + step / 4, 0.05 + 0.25 * (step / 14) ** 2)
    for beat in (4 * LIFT, 4 * OUTRO):
        lay(out, hat(2.6, 70), beat, 0.24 if beat == 4 * LIFT else 0.12)
    return out


def ducking(depth: float) -> Sound:
    """Return how the kick pushes the rest aside, shape (samples, 1)."""
    t = np.arange(round(LENGTH * RATE)) / RATE
    since = np.full(len(t), np.inf)
    for beat, _ in kicks():
        after = t - beat * BEAT
        since = np.where(after >= 0, np.minimum(since, np.where(after >= 0, after, np.inf)), since)
    return (1 - depth * np.exp(-((since / 0.16) ** 2)))[:, None]


def mixed() -> Sound:
    """Return the whole piece before mastering."""
    soft, sung, broken = 0.3 * bells(), 0.5 * melody(), 0.66 * plucks()
    chords = 0.36 * pads() * ducking(0.78)
    low = 0.5 * bass_line() * ducking(0.55)
    beaten = 0.7 * drums()
    wet = canvas()
    for source, gain in (
        (soft, 0.7),
        (sung, 0.3),
        (broken, 0.5),
        (chords, 0.25),
        (beaten * [0.6, 0.6], 0.07),
    ):
        lay(wet, room(source), 0, gain)
    for source, gain in ((soft, 0.6), (sung, 0.35), (broken, 0.5)):
        lay(wet, echoes(source.mean(axis=1), 0.75 * BEAT), 0, gain)
    wet = filtered(wet, "highpass", 180) * ducking(0.4)
    return np.asarray(soft + sung + broken + chords + low + beaten + 0.4 * build_up() + wet)


def mastered(sound: Sound) -> Sound:
    """Return the piece at its loudness: gently saturated, limited below the ceiling, faded at both ends."""
    warm = np.tanh(1.15 * filtered(sound, "highpass", 28)) / np.tanh(1.15)
    loud = LOUDNESS_GAIN * warm
    peaks = np.abs(resample_poly(loud, 4, 1, axis=0)).max(axis=1)[: 4 * len(loud)].reshape(-1, 4).max(axis=1)
    needed = np.minimum(1, CEILING / np.maximum(peaks, 1e-9))
    held = minimum_filter1d(needed, 441)
    limited = loud * uniform_filter1d(held, 221)[:, None]
    t = np.arange(len(limited)) / RATE
    fade = np.minimum(t / 0.05, 1) * np.clip((LENGTH - t) / 1.5, 0, 1) ** 1.5
    return np.asarray(limited * fade[:, None])


def save(sound: Sound, path: Path) -> None:
    """Write 16-bit FLAC, without the name of any library in it."""
    samples = np.rint(sound * 32767).astype(np.int16)
    with av.open(str(path), "w", format="flac", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("flac", rate=RATE, layout="stereo", format="s16")
        stream.codec_context.flags |= av.codec.context.Flags.bitexact
        stream.codec_context.options = {"compression_level": "12"}
        for start in range(0, len(samples), RATE):
            part = np.ascontiguousarray(samples[start : start + RATE]).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(part, format="s16", layout="stereo")
            frame.sample_rate, frame.time_base, frame.pts = RATE, Fraction(1, RATE), start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


if __name__ == "__main__":
    save(mastered(mixed()), Path(__file__).with_name("ethereal-sample.flac"))
