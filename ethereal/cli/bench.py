"""`ethereal bench`: how fast this machine renders, and how near that is to what its cores could do."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from statistics import median

import click
from rich.console import Console
from rich.table import Table

from ethereal.bench.farm import measure_scaling
from ethereal.bench.load import FRAMES, LARGE_FORMATS, OUTPUT_FORMATS, SCENES, Load
from ethereal.bench.long_plan import LongVideo
from ethereal.bench.machine import describe_machine
from ethereal.bench.measure import Bench, StartUp, measure, measure_start_up
from ethereal.bootstrap import cores, renderer_of
from ethereal.cli.bench_scaling import show_scaling
from ethereal.settings import read_settings

RESULT = Path("bench/results/bench.json")


@click.command()
@click.option("--frames", type=click.IntRange(min=60), help="Default: 900 light or 300 heavy ones.")
@click.option("--scene", "scenes", type=click.Choice(SCENES), multiple=True, help="Default: all.")
@click.option(
    "--format",
    "sizes",
    type=click.Choice(OUTPUT_FORMATS + LARGE_FORMATS),
    multiple=True,
    help="Default: all but 4K.",
)
@click.option(
    "--scaling", is_flag=True, help="Instead: what farms of 1 to 1,000 workers would make of a video."
)
@click.option("--minutes", type=click.IntRange(1, 120), default=30, show_default=True, help="Of that video.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), default=RESULT)
def bench(
    frames: int | None,
    scenes: tuple[str, ...],
    sizes: tuple[str, ...],
    scaling: bool,
    minutes: int,
    output: Path,
) -> None:
    """Measure speed, memory and start-up here; nothing else should be running."""
    settings, console = read_settings(), Console()
    machine, open_renderer = describe_machine(cores()), renderer_of(settings)
    settings.scratch.mkdir(parents=True, exist_ok=True)
    if scaling:
        video = LongVideo(60 * minutes, (sizes or OUTPUT_FORMATS)[-1])
        scene = (scenes or SCENES)[0]
        with console.status(f"{scene} {video.output_format}, {minutes} minutes"):
            found = measure_scaling(
                scene, video, open_renderer=open_renderer, cores=machine.cores, scratch=settings.scratch
            )
        show_scaling(found, console)
        _save(output, machine=asdict(machine), scaling=asdict(found))
        return
    benches = []
    for scene, size in product(scenes or SCENES, sizes or OUTPUT_FORMATS):
        with console.status(f"{scene} {size}"):
            load = Load(scene, size, frames or FRAMES[scene])
            benches.append(
                measure(load, open_renderer=open_renderer, cores=machine.cores, scratch=settings.scratch)
            )
    start_up = measure_start_up(open_renderer=open_renderer, scratch=settings.scratch)
    console.print(_table(benches), _sentence(start_up), sep="\n", highlight=False)
    _save(output, machine=asdict(machine), benches=[*map(asdict, benches)], startUp=asdict(start_up))


#: What is shown of each load.
_ROWS: Mapping[str, Callable[[Bench], str]] = {
    "capture alone, fps": lambda bench: f"{bench.capture.fps:.1f}",
    "encode alone, fps": lambda bench: f"{bench.encode.fps:.1f}",
    "limit of the cores, fps": lambda bench: f"{bench.limit_fps:.1f}",
    "end to end, fps": lambda bench: f"{bench.end_to_end_fps:.1f}",
    "end to end / limit": lambda bench: f"{bench.ratio_to_limit:.2f}",
    "capture, ms of CPU a frame": lambda bench: f"{bench.capture.cpu_ms:.1f}",
    "encode, ms of CPU a frame": lambda bench: f"{bench.encode.cpu_ms:.1f}",
    "end to end, ms of CPU a frame": lambda bench: f"{bench.end_to_end_cpu_ms:.1f}",
    "a chunk worker at most, MiB": lambda bench: f"{bench.chunk_peak_mib}",
    "end to end at most, MiB": lambda bench: f"{bench.whole_peak_mib}",
    "its end guessed wrong by, median": lambda bench: f"{median(bench.eta_errors):.0%}",
}


def _table(benches: Sequence[Bench]) -> Table:
    table = Table("", *(f"{bench.scene}\n{bench.output_format}" for bench in benches), box=None)
    for name, show in _ROWS.items():
        table.add_row(name, *map(show, benches))
    return table


def _sentence(start_up: StartUp) -> str:
    return (
        f"A warm worker begins a chunk after {start_up.warm_chunk:.3f} s; "
        f"a 2-second draft from a cold start takes {start_up.cold_draft:.1f} s."
    )


def _save(output: Path, **measured: object) -> None:
    output.parent.mkdir(parents=True, exist_ok=True)
    taken = datetime.now(UTC).isoformat(timespec="seconds")
    output.write_text(json.dumps({"taken": taken, **measured}, indent=1) + "\n")
