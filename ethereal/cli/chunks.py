"""`ethereal plan`, `render-chunk` and `assemble`: a render in three moves over directories, for schedulers.

Each says what it made as one JSON object on stdout; the bar is on stderr.
"""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import click
from rich.console import Console

from ethereal.bootstrap import cores, renderer_of
from ethereal.cli.bar import open_bar
from ethereal.cli.wanted import picture_options, read_wanted
from ethereal.render.assemble import assemble as join_chunks
from ethereal.render.chunk import render_chunk as draw_chunk
from ethereal.render.plan import Plan, make_plan
from ethereal.settings import read_settings
from ethereal.whole import scratch_beside

_LISTENING = 60.0  # percent of planning

_DIRECTORY = click.Path(exists=True, file_okay=False, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_NEW_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@picture_options
@click.argument("plan_dir", type=click.Path(file_okay=False, path_type=Path))
def plan(plan_dir: Path, **asked: object) -> None:
    """Freeze all that a video of AUDIO needs at PLAN_DIR, in place of what is there."""
    # Not above: a process that draws a chunk needs none of what listens, and it takes long to import.
    from ethereal.cli.listen import make_plan_request

    wanted, settings = read_wanted(asked), read_settings()
    with (
        scratch_beside(plan_dir) as folder,
        open_bar(Console(stderr=True)) as bar,
    ):
        request = make_plan_request(
            wanted,
            folder,
            longest=Fraction(settings.max_audio_minutes * 60),
            tell=lambda fraction: bar.show("listening", _LISTENING * fraction),
        )
        made = make_plan(
            request,
            plan_dir,
            open_renderer=renderer_of(settings),
            beat=lambda fraction: bar.show("planning", _LISTENING + (100 - _LISTENING) * fraction),
        )
    click.echo(json.dumps(_spell(made)))


@click.command("render-chunk")
@click.argument("plan_dir", type=_DIRECTORY)
@click.argument("index", type=int)
@click.argument("output", type=_NEW_FILE)
def render_chunk(plan_dir: Path, index: int, output: Path) -> None:
    """Draw and encode chunk INDEX of the plan at PLAN_DIR to OUTPUT, whole or not at all."""
    with open_bar(Console(stderr=True)) as bar:
        made = draw_chunk(
            plan_dir,
            index,
            output,
            open_renderer=renderer_of(read_settings()),
            encoders=cores(),
            beat=lambda fraction: bar.show("drawing", 100 * fraction),
        )
    said = {"index": made.index, "sha256": made.sha256, "sizeBytes": made.size_bytes}
    click.echo(json.dumps({**said, "frames": made.frame_count, "timings": dict(made.timings)}))


@click.command()
@click.argument("plan_dir", type=_DIRECTORY)
@click.argument("chunks", metavar="CHUNK...", type=_FILE, nargs=-1, required=True)
@click.option("-o", "--output", type=_NEW_FILE, required=True)
def assemble(plan_dir: Path, chunks: tuple[Path, ...], output: Path) -> None:
    """Check the CHUNKs of the plan at PLAN_DIR, given in any order, and join them and its sound."""
    with open_bar(Console(stderr=True)) as bar:
        video = join_chunks(
            plan_dir, chunks, output, beat=lambda fraction: bar.show("assembling", 100 * fraction)
        )
    said = {"planHash": video.plan_hash, "sha256": video.sha256, "sizeBytes": video.size_bytes}
    click.echo(json.dumps({**said, "frames": video.frames}))


def _spell(made: Plan) -> dict[str, object]:
    return {
        "planHash": made.plan_hash,
        "fingerprint": made.fingerprint,
        "frames": made.frame_count,
        "gops": len(made.gops),
        "chunks": [
            {"index": chunk.index, "name": chunk.name, "frames": [chunk.start_frame, chunk.end_frame]}
            for chunk in made.chunks
        ],
    }
