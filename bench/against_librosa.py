"""How well onsets, beats and tempo are found beside librosa, on sounds of known truth (tests/rhythms.py).

    .venv/bin/pip install -e '.[bench]'    (half a gigabyte; in no other environment is it needed)
    .venv/bin/python -m bench.against_librosa [--class swing]

librosa is asked as its manual asks it, at 22,050 Hz. Onsets count within 50 ms and beats within 70 ms, by
mir_eval. Where nothing is to be found, F is 1 when nothing is claimed and 0 otherwise. librosa tells no
confidence. Prints two lines for each kind of sound, writes bench/results/against_librosa.json, and exits
with 1 where ours is worse.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from fractions import Fraction
from importlib.metadata import version
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory

import click
import librosa
import mir_eval
import numpy as np

from ethereal.audio.features import make_features
from tests.rhythms import CLASSES, RATE, Rhythm, write_canonical

RESULT = Path("bench/results/against_librosa.json")
LIBROSA_RATE = 22_050  # what librosa.load gives
HEADS = ("onset F", "beat F", "tempo off", "confidence", "onsets", "beats")
SAME = 0.005  # of an F or of a tempo: a beat at the edge of a sound is no difference


@dataclass(frozen=True)
class Found:
    """What was found in one sound; times in seconds."""

    onsets: Sequence[float]
    beats: Sequence[float]
    tempo: float
    confidence: float | None


@dataclass(frozen=True)
class Score:
    """Means over the sounds of a kind: both F, by which part the tempo is off, and how many were claimed."""

    onset_f: float
    beat_f: float
    tempo_off: float | None
    confidence: float | None
    onsets: float
    beats: float


def find_ours(rhythm: Rhythm) -> Found:
    with TemporaryDirectory() as folder:
        canonical = write_canonical(Path(folder) / "sound.flac", rhythm.sound)
        features = make_features(canonical, fps=Fraction(1), frame_count=1)
    return Found(features.onsets, features.beats, features.tempo, features.beat_confidence)


def find_librosa(rhythm: Rhythm) -> Found:
    sound = librosa.resample(rhythm.sound.astype(np.float32), orig_sr=RATE, target_sr=LIBROSA_RATE)
    onsets = librosa.onset.onset_detect(y=sound, sr=LIBROSA_RATE, units="time")
    tempo, beats = librosa.beat.beat_track(y=sound, sr=LIBROSA_RATE, units="time")
    return Found(onsets.tolist(), beats.tolist(), float(np.atleast_1d(tempo)[0]), None)


def score(rhythms: Sequence[Rhythm], find: Callable[[Rhythm], Found]) -> Score:
    found = [find(rhythm) for rhythm in rhythms]
    pairs = list(zip(rhythms, found, strict=True))
    off = [abs(it.tempo / rhythm.tempo - 1) for rhythm, it in pairs if rhythm.tempo]
    sure = [it.confidence for it in found if it.confidence is not None]
    return Score(
        onset_f=mean(f_of(rhythm.onsets, it.onsets, mir_eval.onset.f_measure, 0.05) for rhythm, it in pairs),
        beat_f=mean(f_of(rhythm.beats, it.beats, mir_eval.beat.f_measure, 0.07) for rhythm, it in pairs),
        tempo_off=mean(off) if off else None,
        confidence=mean(sure) if sure else None,
        onsets=mean(len(it.onsets) for it in found),
        beats=mean(len(it.beats) for it in found),
    )


def f_of(
    truth: Sequence[float], found: Sequence[float], measure: Callable[..., object], near: float
) -> float:
    """Return F within `near` seconds."""
    if not len(truth) or not len(found):
        return float(len(truth) == len(found))
    result = measure(np.array(truth), np.array(found), near)
    return float(result[0] if isinstance(result, tuple) else result)


def worse(ours: Score, theirs: Score) -> list[str]:
    """Name what ours is worse at."""
    names = [name for name in ("onset_f", "beat_f") if getattr(ours, name) < getattr(theirs, name) - SAME]
    if (
        ours.tempo_off is not None
        and theirs.tempo_off is not None
        and ours.tempo_off > theirs.tempo_off + SAME
    ):
        names.append("tempo_off")
    return names


def rounded(scored: Score) -> dict[str, float | None]:
    return {name: None if value is None else round(value, 3) for name, value in asdict(scored).items()}


def line(name: str, who: str, scored: Score) -> str:
    values = (getattr(scored, part.name) for part in fields(scored))
    cells = ("-" if value is None else f"{value:.3f}" for value in values)
    return f"{name:18} {who:9}" + "".join(f"{cell:>12}" for cell in cells)


@click.command()
@click.option("--class", "only", type=click.Choice(list(CLASSES)), help="One kind of sound alone.")
def main(only: str | None) -> None:
    warnings.filterwarnings("ignore", message="Trying to estimate tuning")  # of silence
    click.echo(f"{'':28}" + "".join(f"{head:>12}" for head in HEADS))
    told, lost = {}, {}
    for name, makers in CLASSES.items():
        if only not in (None, name):
            continue
        rhythms = [make() for make in makers]
        ours, theirs = score(rhythms, find_ours), score(rhythms, find_librosa)
        click.echo(line(name, "ethereal", ours))
        click.echo(line("", "librosa", theirs))
        told[name] = {"sounds": len(rhythms), "ethereal": rounded(ours), "librosa": rounded(theirs)}
        lost |= {name: worse(ours, theirs)} if worse(ours, theirs) else {}
    if only is None:
        versions = {package: version(package) for package in ("librosa", "mir_eval", "numpy", "scipy")}
        at = datetime.now(UTC).isoformat(timespec="seconds")
        text = json.dumps({"at": at, "versions": versions, "worse": lost, "classes": told}, indent=1)
        RESULT.write_text(text + "\n")
    click.echo(f"ours is worse: {lost}" if lost else "ours is nowhere worse")
    sys.exit(bool(lost))


if __name__ == "__main__":
    main()
