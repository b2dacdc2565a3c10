"""`ethereal bench-whole`, which `bench` times: a bench scene, rendered as `ethereal render` does."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import click

from ethereal.bootstrap import local_shape, renderer_ahead, renderer_of
from ethereal.render.formats import get_format
from ethereal.settings import read_settings


@click.command("bench-whole", hidden=True)
@click.argument("scene")
@click.argument("output_format")
@click.argument("frames", type=int)
@click.argument("sound", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("output", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--encoder-option", "options", multiple=True, help="NAME=VALUE, in place of the quality's.")
def bench_whole(
    scene: str, output_format: str, frames: int, sound: Path, output: Path, options: tuple[str, ...]
) -> None:
    """Render a bench scene over SOUND to OUTPUT."""
    settings, size = read_settings(), get_format(output_format)
    with (
        renderer_ahead(settings, size.width, size.height) as ahead,
        TemporaryDirectory(dir=output.parent) as folder,
    ):
        # What listens and draws takes a second to import, in which the browser starts.
        from ethereal.bench.guesses import FrameTimes
        from ethereal.bench.load import Load, request_load
        from ethereal.render.local import render_locally

        load, told = Load(scene, output_format, frames), dict(option.split("=", 1) for option in options)
        request = request_load(load, sound, Path(folder), encoder_options=told)
        shape, times = local_shape(settings, request), FrameTimes(frames)
        render_locally(
            request,
            output,
            open_renderer=renderer_of(settings),
            open_first=ahead,
            workers=shape.workers,
            encoders=shape.encoders,
            tell=times,
        )
        times.save(output.with_suffix(".etas.json"))
