"""`ethereal render`: a video from a sound file on this machine's cores, with no service at all."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

import click
from rich.console import Console

from ethereal.audio.canonical import make_canonical
from ethereal.audio.features import make_features, save_features
from ethereal.bootstrap import cores, render_workers, renderer_of
from ethereal.cli.bar import Bar, open_bar, size_of
from ethereal.errors import InvalidInputError
from ethereal.pipeline.progress import make_eta
from ethereal.render.assemble import VideoResult
from ethereal.render.composition import Composition, frame_count_for
from ethereal.render.formats import get_format, parse_fps
from ethereal.render.local import LocalProgress, render_locally
from ethereal.render.plan import PlanRequest
from ethereal.scenes.templates import get_template
from ethereal.settings import Settings, read_settings

#: Where each stage begins, in percent of the whole.
_FROM = {"listening": 0.0, "planning": 6.0, "drawing": 10.0, "assembling": 97.0}


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What was asked for on the command line."""

    audio: Path
    output: Path
    template: str
    output_format: str
    fps: str
    quality: str
    seed: int
    span: tuple[Fraction, Fraction] | None
    chunks: int | None
    workers: int | None


@click.command()
@click.argument("audio", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True)
@click.option("--template", default="ethereal-flame", show_default=True)
@click.option("--format", "output_format", default="flat-1080p-landscape", show_default=True)
@click.option("--fps", default="30", show_default=True, help="24, 25, 30, 50, 60, 23.976, 29.97 or 59.94.")
@click.option("--quality", default="standard", show_default=True, help="draft, standard or high.")
@click.option("--seed", type=int, default=0, show_default=True, help="Another seed, other sparks and stars.")
@click.option("--range", "span", metavar="START:END", callback=lambda *given: _read_span(given[2]))
@click.option("--chunks", type=int, help="Into how many chunks; the file is the same for any number.")
@click.option("--workers", type=int, help="Chunks drawn at once; default: the cores.")
def render(**asked: object) -> None:
    """Make a video from AUDIO."""
    wanted, console = Wanted(**asked), Console()  # type: ignore[arg-type]
    started = monotonic()
    with open_bar(console) as bar:
        video = _render(wanted, read_settings(), bar)
        bar.show("done", 100.0)
    seconds = monotonic() - started
    console.print(
        f"{video.path}  {size_of(video.size_bytes)}, {video.frames} frames in {seconds:.1f} s"
        f" ({video.frames / seconds:.1f} fps)\nsha256 {video.sha256}",
        highlight=False,
    )


def _render(wanted: Wanted, settings: Settings, bar: Bar) -> VideoResult:
    wanted.output.parent.mkdir(parents=True, exist_ok=True)
    workers = wanted.workers or render_workers(settings)
    with TemporaryDirectory(prefix=f".{wanted.output.name}-", dir=wanted.output.parent) as folder:
        request = _plan_request(wanted, settings, Path(folder), bar)
        return render_locally(
            request,
            wanted.output,
            open_renderer=renderer_of(settings),
            workers=workers,
            encoders=max(1, cores() // workers),
            tell=_Telling(bar),
        )


def _plan_request(wanted: Wanted, settings: Settings, folder: Path, bar: Bar) -> PlanRequest:
    template, size = get_template(wanted.template), get_format(wanted.output_format)
    fps = parse_fps(wanted.fps)
    canonical = make_canonical(
        wanted.audio,
        folder / "audio.flac",
        max_duration=Fraction(settings.max_audio_minutes * 60),
        span=wanted.span,
        beat=lambda fraction: bar.show("listening", 2 * fraction),
    )
    count = frame_count_for(canonical.duration, fps)
    features = make_features(
        canonical.path,
        fps=fps,
        frame_count=count,
        beat=lambda fraction: bar.show("listening", 2 + 4 * fraction),
    )
    save_features(features, folder)
    composition = Composition(
        template=template.id,
        scene=template.scene,
        width=size.width,
        height=size.height,
        fps=fps,
        seed=wanted.seed,
        parameters=dict(template.parameters),
    )
    return PlanRequest(composition, canonical.path, folder, count, wanted.quality, wanted.chunks)


@dataclass
class _Telling:
    """Shows a local render on the bar, as percent of the whole."""

    bar: Bar
    drawing_since: float | None = None

    def __call__(self, progress: LocalProgress) -> None:
        stages = [*_FROM, "done"]
        low = _FROM[progress.stage]
        high = _FROM.get(stages[stages.index(progress.stage) + 1], 100.0)
        self.bar.show(progress.stage, low + (high - low) * progress.fraction, self._eta(progress))

    def _eta(self, progress: LocalProgress) -> float | None:
        if progress.stage != "drawing":
            return None
        self.drawing_since = self.drawing_since or monotonic()
        if not progress.frames_drawn:
            return None
        elapsed = monotonic() - self.drawing_since
        return make_eta(progress.frames_drawn, progress.frame_count, elapsed).seconds


def _read_span(text: str | None) -> tuple[Fraction, Fraction] | None:
    """START:END in seconds, each with decimals if need be."""
    if text is None:
        return None
    try:
        start, end = (Fraction(part) for part in text.split(":"))
    except ValueError as error:
        raise InvalidInputError("--range takes START:END in seconds, such as 10:25.5") from error
    if not 0 <= start < end:
        raise InvalidInputError("--range must start before it ends")
    return start, end
