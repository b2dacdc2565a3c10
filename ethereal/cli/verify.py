"""`ethereal verify`: make random parts of a video again and compare them with it, byte for byte."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from ethereal.bootstrap import cores, open_object_store, renderer_of
from ethereal.cli.bar import open_bar
from ethereal.errors import NotFoundError, PlanHashMismatchError
from ethereal.pipeline.folders import find_plan_folder
from ethereal.pipeline.plan_cache import fetch_plan
from ethereal.render.plan import load_plan
from ethereal.render.plan_comment import read_plan_hash
from ethereal.render.verify import GopCheck, compare_gops
from ethereal.render.verify_sound import is_sound_equal
from ethereal.settings import Settings, read_settings
from ethereal.storage import keys

_DIRECTORY = click.Path(exists=True, file_okay=False, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("video", type=_FILE)
@click.option(
    "--plan", "plan_dir", type=_DIRECTORY, help="The plan; default: the one kept here under its hash."
)
@click.option(
    "--gops", type=click.IntRange(min=1), default=5, show_default=True, help="How many GOPs to make."
)
@click.option(
    "--seed", type=click.IntRange(min=0), help="Chooses the GOPs; default: another choice each time."
)
@click.pass_context
def verify(context: click.Context, video: Path, plan_dir: Path | None, gops: int, seed: int | None) -> None:
    """Make random GOPs of VIDEO again, compare their bytes and the sound; exit with 1 on any difference."""
    settings = read_settings()
    chosen_by = secrets.randbits(32) if seed is None else seed
    with (
        _open_plan(read_plan_hash(video), plan_dir, settings) as found,
        open_bar(Console(stderr=True)) as bar,
    ):
        checks = compare_gops(
            found,
            video,
            _choose(len(load_plan(found).gops), gops, chosen_by),
            open_renderer=renderer_of(settings),
            encoders=cores(),
            beat=lambda fraction: bar.show("making again", 100 * fraction),
        )
        has_plans_sound = is_sound_equal(found, video)
    different = sum(not check.is_equal for check in checks)
    console = Console()
    console.print(_table(checks))
    sound = "the sound is equal" if has_plans_sound else "the sound differs"
    console.print(
        f"{len(checks)} GOPs made again, {different} differ; {sound}; --seed {chosen_by}", highlight=False
    )
    context.exit(0 if has_plans_sound and not different else 1)


def _choose(count: int, wanted: int, seed: int) -> list[int]:
    chosen = np.random.default_rng(seed).choice(count, size=min(wanted, count), replace=False)
    return sorted(map(int, chosen))


@contextmanager
def _open_plan(plan_hash: str, given: Path | None, settings: Settings) -> Iterator[Path]:
    """Give the plan's directory: the given one, this host's copy, or one fetched from the object store."""
    if given is not None:
        if load_plan(given).plan_hash != plan_hash:
            raise PlanHashMismatchError(f"the video was made from plan {plan_hash}, not from that at {given}")
        yield given
    elif kept := find_plan_folder(settings.scratch, plan_hash):
        yield kept
    else:
        with TemporaryDirectory(prefix="ethereal-plan-") as folder:
            yield _fetch(plan_hash, settings, Path(folder))


def _fetch(plan_hash: str, settings: Settings, folder: Path) -> Path:
    objects = open_object_store(settings)
    archive = next(objects.list(keys.plan_archives(plan_hash)), None)
    if archive is None:
        raise NotFoundError(
            f"plan {plan_hash} is not kept here: give its directory with --plan DIR"
            " (`ethereal plan` makes it from the same sound with the same options)"
        )
    return fetch_plan(objects, archive.key, folder)


def _table(checks: Sequence[GopCheck]) -> Table:
    table = Table("GOP", "frames", "bytes", "equal?")
    for check in checks:
        frames = f"{check.frames.start} to {check.frames.stop - 1}"
        verdict = "[green]yes[/]" if check.is_equal else f"[bold red]no[/], {check.size_here} bytes here"
        table.add_row(str(check.gop), frames, str(check.size_bytes), verdict)
    return table
