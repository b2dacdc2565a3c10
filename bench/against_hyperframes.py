"""Renders the bench scenes with HyperFrames and with Ethereal, whole processes from a cold start, in turn.

    python bench/against_hyperframes.py [--scene bench_light] [--size draft-720p] [--frames 300] [--pairs 3]

What it needs: the top of bench/hyperframes.py. Both show the very same scene code and encode with the same
x264 settings, which x264 itself is asked to confirm: preset medium, crf 16, no B-frames, 30 fps. HyperFrames
runs twice in each round: as it comes, which is SwiftShader where there is no GPU, and with llvmpipe, as
Ethereal does. It chooses the number of its browsers itself. Both encode the same sound, to which Ethereal
listens as well. Prints ratios of wall time and how alike the videos are; exits with 1 when they are not.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import click
from hyperframes import CRF, DRIVERS, PRESET, X264, HyperFrames, find_hyperframes, read_log, write_page

from ethereal.bench.likeness import Likeness, Shown, check_likeness, compare_videos, look_at
from ethereal.bench.load import FPS, OUTPUT_FORMATS, QUALITY, SCENES, Load, make_sound
from ethereal.bench.machine import describe_machine
from ethereal.bench.rounds import Ratio, ratio_of_rounds, turns
from ethereal.bench.x264 import ask_x264, change_parameters, read_x264, told_differently
from ethereal.bootstrap import cores
from ethereal.errors import EtherealError, RenderError
from ethereal.process import run_tool
from ethereal.render.chunks import gop_frames_for
from ethereal.render.composition import Composition
from ethereal.render.encoder_settings import encoder_document, read_settings
from ethereal.render.encoders.h264 import H264
from ethereal.render.formats import get_format, get_quality

RESULT = Path("bench/results/against_hyperframes.json")
TOOLS = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ethereal-bench"
FRAMES = {"bench_light": 300, "bench_heavy": 90}
ALIKE_DECIBELS = 30.0
SOUND_APART = 0.1  # seconds
TIME_LIMIT = timedelta(minutes=30)  # for one render
OURS = "ethereal"
#: What the two may be told differently: how a video is cut into GOPs and spread over threads.
STRUCTURE = {"core", "keyint", "keyint_min", "scenecut", "threads", "lookahead_threads"}


@dataclass(frozen=True)
class Round:
    """Seconds of each contender, the load of the machine before it began, and what HyperFrames told."""

    load: float
    seconds: Mapping[str, float]
    told: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Race:
    """A load rendered by all; all but `ours` and `x264_differs` by the GL driver of HyperFrames."""

    scene: str
    output_format: str
    frames: int
    rounds: Sequence[Round]
    medians: Mapping[str, float]
    ratios: Mapping[str, Ratio]
    likeness: Mapping[str, Likeness]
    theirs: Mapping[str, Shown]
    ours: Shown
    x264_differs: Mapping[str, tuple[str, str]]


@click.command()
@click.option("--scene", "scenes", type=click.Choice(SCENES), multiple=True, help="Default: all.")
@click.option("--size", "sizes", type=click.Choice(OUTPUT_FORMATS), multiple=True, help="Default: all.")
@click.option("--frames", type=click.IntRange(min=10), help="Default: 300 light or 90 heavy ones.")
@click.option("--pairs", type=click.IntRange(min=1), default=3, show_default=True, help="Rounds.")
@click.option("--driver", "drivers", type=click.Choice([*DRIVERS]), multiple=True, help="Default: all.")
@click.option("--workers", default="auto", show_default=True, help="Browsers of HyperFrames.")
@click.option("--tools", type=click.Path(file_okay=False, path_type=Path), default=TOOLS, show_default=True)
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), default=RESULT)
def main(
    *,
    scenes: tuple[str, ...],
    sizes: tuple[str, ...],
    frames: int | None,
    pairs: int,
    drivers: tuple[str, ...],
    workers: str,
    tools: Path,
    output: Path,
) -> None:
    """Race HyperFrames; nothing else should be running."""
    they = find_hyperframes(tools)
    machine, versions = describe_machine(cores()), they.versions()
    click.echo(f"{machine.cpu}, {machine.cores} cores, load {machine.load:.1f}")
    click.echo("; ".join(f"{name} {said}" for name, said in versions.items()))
    races = []
    for scene in scenes or SCENES:
        for size in sizes or OUTPUT_FORMATS:
            load = Load(scene, size, frames or FRAMES[scene])
            races.append(race(they, load, pairs=pairs, drivers=drivers or tuple(DRIVERS), workers=workers))
            save(output, machine=asdict(machine), versions=versions, races=[*map(asdict, races)])
    for one in races:
        for likeness in one.likeness.values():
            check_likeness(likeness, least=ALIKE_DECIBELS)


def race(they: HyperFrames, load: Load, *, pairs: int, drivers: Sequence[str], workers: str) -> Race:
    """Render `load` with every contender, `pairs` times, and hold the last videos against each other."""
    with TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        sound = make_sound(folder / "sound.wav", load.frames)
        write_page(folder / "page", load, sound)

        def render(who: str) -> str:
            video = folder / f"{who}.mp4"
            if who == OURS:
                run_tool(our_command(load, sound, video), timeout=TIME_LIMIT)
                return ""
            command, told = they.call(folder / "page", video, who, workers), they.environment(who)
            done = run_tool(command, timeout=TIME_LIMIT, cwd=folder, env=told)
            return done.stdout.decode(errors="replace") + done.stderr_tail

        click.echo(f"\n{load.scene} {load.output_format}, {load.frames} frames")
        rounds = [timed_round(turns([*drivers, OURS], index), render) for index in range(pairs)]
        return judge(load, rounds, drivers, folder)


def timed_round(order: Sequence[str], render: Callable[[str], str]) -> Round:
    """One render of each, which returns what it told."""
    load = round(os.getloadavg()[0], 1)
    seconds, told = {}, {}
    for who in order:
        started = time.monotonic()
        log = render(who)
        seconds[who] = time.monotonic() - started
        if who != OURS:
            told[who] = read_log(log)
    shown = "   ".join(f"{who} {seconds[who]:6.1f} s" for who in sorted(seconds))
    ways = ", ".join(f"{who} {facts['capture']} x{facts['workers']}" for who, facts in sorted(told.items()))
    click.echo(f"  {shown}   load {load:.1f}   {ways}")
    return Round(load, seconds, told)


def judge(load: Load, rounds: Sequence[Round], drivers: Sequence[str], folder: Path) -> Race:
    """What the rounds say, and the videos."""
    seconds = {who: [one.seconds[who] for one in rounds] for who in (*drivers, OURS)}
    ours = folder / f"{OURS}.mp4"
    videos = {driver: folder / f"{driver}.mp4" for driver in drivers}
    done = Race(
        scene=load.scene,
        output_format=load.output_format,
        frames=load.frames,
        rounds=rounds,
        medians={who: median(taken) for who, taken in seconds.items()},
        ratios={driver: ratio_of_rounds(seconds[driver], seconds[OURS]) for driver in drivers},
        likeness={driver: compare_videos(video, ours) for driver, video in videos.items()},
        theirs={driver: look_at(video) for driver, video in videos.items()},
        ours=look_at(ours),
        x264_differs=x264_of(load, videos[drivers[0]]),
    )
    show(done)
    check_work(done)
    return done


def our_options() -> Mapping[str, str]:
    """Return our usual options with HyperFrames' settings of x264 in them."""
    usual = H264.make_options(QUALITY, gop_frames_for(FPS))
    return {**change_parameters(usual, X264), "preset": PRESET, "crf": str(CRF)}


def our_command(load: Load, sound: Path, video: Path) -> list[str]:
    command = [sys.executable, "-c", "from ethereal.cli import main; main()", "bench-whole"]
    command += [load.scene, load.output_format, str(load.frames), str(sound), str(video)]
    return command + [f"--encoder-option={name}={value}" for name, value in our_options().items()]


def x264_of(load: Load, theirs: Path) -> Mapping[str, tuple[str, str]]:
    """What the encoders were told differently, by their own account."""
    size = get_format(load.output_format)
    composition = Composition(load.scene, load.scene, size.width, size.height, FPS, 1, {})
    document = encoder_document(composition, get_quality(QUALITY))
    settings = read_settings({**document, "options": our_options()})
    return told_differently(read_x264(theirs.read_bytes()), ask_x264(settings))


def check_work(done: Race) -> None:
    """Raise RenderError when somebody did other work than was asked for."""
    stray = {name: told for name, told in done.x264_differs.items() if name not in STRUCTURE}
    if stray:
        raise RenderError(f"x264 was told different things: {stray}")
    for shown in (done.ours, *done.theirs.values()):
        if shown.frames != done.frames or set(shown.kinds) - {"I", "P"}:
            raise RenderError(f"{shown.frames} frames of {done.frames}: {shown.kinds}")
        if abs(shown.sound_seconds - done.frames / FPS) > SOUND_APART:
            raise RenderError(f"{shown.sound_seconds:.2f} s of sound for {done.frames} frames")


def show(done: Race) -> None:
    for driver, ratio in done.ratios.items():
        like, (y, u, v) = done.likeness[driver], done.likeness[driver].offsets
        click.echo(
            f"  HyperFrames with {driver}: {done.medians[driver]:.1f} s against {done.medians[OURS]:.1f} s, "
            f"ratio {ratio.median:.2f} ({ratio.lowest:.2f} to {ratio.highest:.2f})\n"
            f"    {done.theirs[driver].file_bytes:,} against {done.ours.file_bytes:,} bytes; "
            f"PSNR {like.median:.1f} dB, lowest {like.lowest:.1f} at frame {like.lowest_frame}, "
            f"{like.off_by_one:.1f} when a frame off\n"
            f"    ours less theirs: Y {y:+.2f} Cb {u:+.2f} Cr {v:+.2f}; luma slope {like.luma_slope:.3f}"
        )
    click.echo(f"  x264 told differently, theirs and ours: {dict(done.x264_differs)}")


def save(output: Path, **measured: object) -> None:
    output.parent.mkdir(parents=True, exist_ok=True)
    taken = datetime.now(UTC).isoformat(timespec="seconds")
    output.write_text(json.dumps({"taken": taken, **measured}, indent=1) + "\n")


if __name__ == "__main__":
    try:
        main()
    except EtherealError as error:
        click.echo(f"{error.code} {error}", err=True)
        sys.exit(1)
