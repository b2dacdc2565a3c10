"""`ethereal analyze`: what is heard in a sound, as numbers and as a picture; needs no service."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from rich.console import Console

from ethereal.audio.canonical import make_canonical
from ethereal.audio.decode import clock
from ethereal.audio.feature_set import Features
from ethereal.audio.features import make_features
from ethereal.audio.meter import Level, measure_level
from ethereal.audio.peaks import make_peaks
from ethereal.audio.plot import draw_analysis
from ethereal.audio.rate import CANONICAL_RATE
from ethereal.audio.read import read_sound
from ethereal.cli.bar import open_bar
from ethereal.settings import read_settings

_FPS = Fraction(60)


@click.command()
@click.argument("audio", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--plot",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Draw it: outline, bands, pitches, sections, onsets, beats (PNG).",
)
@click.option("--json", "as_json", is_flag=True, help="Print all of it as JSON, the times too.")
def analyze(audio: Path, plot: Path | None, as_json: bool) -> None:
    """Tell what is heard in AUDIO: tempo, beats, onsets, loudness."""
    console, longest = Console(), Fraction(read_settings().max_audio_minutes * 60)
    with TemporaryDirectory(prefix="ethereal-analyze-") as folder, open_bar(Console(stderr=True)) as bar:
        sound = make_canonical(
            audio,
            Path(folder) / "audio.flac",
            max_duration=longest,
            beat=lambda fraction: bar.show("reading", 25 * fraction),
        )
        features = make_features(
            sound.path,
            fps=_FPS,
            frame_count=max(1, int(sound.duration * _FPS)),
            beat=lambda fraction: bar.show("listening", 25 + 65 * fraction),
        )
        heard = audio, float(sound.duration), features, measure_level(read_sound(sound.path), CANONICAL_RATE)
        if plot is not None:
            bar.show("drawing", 95)
            draw_analysis(make_peaks(sound.path)[0], features, _in_one_line(*heard), plot)
        bar.show("done", 100)
    if as_json:
        console.print_json(json.dumps(_facts(*heard)))
    else:
        console.print(_in_one_line(*heard), highlight=False)


def _facts(audio: Path, seconds: float, features: Features, level: Level) -> dict[str, object]:
    return {
        "name": audio.name,
        "seconds": round(seconds, 3),
        "lufs": None if level.lufs is None else round(level.lufs, 1),
        "truePeak": None if level.true_peak is None else round(level.true_peak, 1),
        "tempo": round(features.tempo, 2),
        "beatConfidence": round(features.beat_confidence, 3),
        "beats": [round(time, 3) for time in features.beats],
        "onsets": [round(time, 3) for time in features.onsets],
    }


def _in_one_line(audio: Path, seconds: float, features: Features, level: Level) -> str:
    loudness = "silent"
    if level.lufs is not None:
        loudness = f"{level.lufs:.1f} LUFS, peak {level.true_peak:.1f} dB"
    tempo = f"{features.tempo:.1f} BPM ({features.beat_confidence:.2f}), {len(features.beats)} beats"
    heard = tempo if features.beats else "no beat"
    return f"{audio.name}  {clock(seconds)}  {loudness}  {heard}, {len(features.onsets)} onsets"
