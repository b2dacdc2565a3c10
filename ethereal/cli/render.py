"""`ethereal render`: a video from a sound file on this machine's cores, with no service at all."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import click
from rich.console import Console

from ethereal.bootstrap import local_shape, renderer_ahead, renderer_of
from ethereal.cli.bar import Bar, open_bar, size_of
from ethereal.cli.wanted import Wanted, picture_options, read_wanted
from ethereal.render.formats import get_format
from ethereal.settings import Settings, read_settings
from ethereal.whole import scratch_beside

if TYPE_CHECKING:
    from ethereal.render.assemble import VideoResult
    from ethereal.render.local import LocalProgress

#: Where each stage begins, in percent of the whole.
_FROM = {"listening": 0.0, "planning": 6.0, "drawing": 10.0, "assembling": 97.0}


@click.command()
@picture_options
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="Its end names the container: .mp4, .mov, .webm or .zip.",
)
@click.option(
    "--workers",
    type=int,
    help="Browsers that draw at once; default: one for every four cores, and one for a short video.",
)
def render(output: Path, workers: int | None, **asked: object) -> None:
    """Make a video from AUDIO."""
    wanted, console = read_wanted(asked, output), Console()
    started = monotonic()
    with open_bar(console) as bar:
        video = _render(wanted, output, read_settings(), workers, bar)
        bar.show("done", 100.0)
    seconds = monotonic() - started
    console.print(
        f"{video.path}  {size_of(video.size_bytes)}, {video.frames} frames in {seconds:.1f} s"
        f" ({video.frames / seconds:.1f} fps)\nsha256 {video.sha256}",
        highlight=False,
    )


def _render(wanted: Wanted, output: Path, settings: Settings, workers: int | None, bar: Bar) -> VideoResult:
    size = get_format(wanted.output_format)
    with (
        renderer_ahead(settings, size.width, size.height) as ahead,
        scratch_beside(output) as folder,
    ):
        # What listens and draws takes a second to import, in which the browser starts.
        from ethereal.cli.listen import make_plan_request
        from ethereal.render.local import render_locally

        request = make_plan_request(
            wanted,
            folder,
            longest=Fraction(settings.max_audio_minutes * 60),
            tell=lambda fraction: bar.show("listening", fraction * _FROM["planning"]),
        )
        shape = local_shape(settings, request, workers)
        return render_locally(
            request,
            output,
            open_renderer=renderer_of(settings),
            open_first=ahead,
            workers=shape.workers,
            encoders=shape.encoders,
            tell=_Telling(bar),
        )


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
        from ethereal.pipeline.eta import make_eta

        elapsed = monotonic() - self.drawing_since
        return make_eta(progress.frames_drawn, progress.frame_count, elapsed).seconds
