"""The `ethereal` command: `up` and `demo` run the system here, `render` needs no service at all, `plan`,
`render-chunk` and `assemble` are its moves for other schedulers, `verify` holds a video to its plan,
`submit`, `jobs` and `cancel` talk to a running one, `doctor` says what this machine lacks, `storage` sets up
the bucket, `bench` measures.
"""

from __future__ import annotations

import sys

import click
from rich.console import Console

from ethereal import __version__
from ethereal.cli.bench import bench, bench_whole
from ethereal.cli.chunks import assemble, plan, render_chunk
from ethereal.cli.demo import demo
from ethereal.cli.doctor import doctor
from ethereal.cli.fingerprint import fingerprint
from ethereal.cli.remote import cancel, jobs, submit
from ethereal.cli.render import render
from ethereal.cli.storage import storage
from ethereal.cli.up import up
from ethereal.cli.verify import verify
from ethereal.client import ApiError
from ethereal.errors import EtherealError, InvalidInputError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="ethereal")
def cli() -> None:
    """Turn sound into video."""


_COMMANDS = (
    *(up, demo),
    *(render, plan, render_chunk, assemble, verify),
    *(submit, jobs, cancel),
    *(doctor, storage, fingerprint),
    *(bench, bench_whole),
)
for command in _COMMANDS:
    cli.add_command(command)


def main() -> None:
    """Run the command; an error of ours is one sentence and exit status 1."""
    try:
        cli()
    except EtherealError as error:
        _show(error)
        sys.exit(1)


def _show(error: EtherealError) -> None:
    console = Console(stderr=True)
    code = error.server_code if isinstance(error, ApiError) else error.code
    console.print(f"[bold red]{code}[/] {error}", highlight=False)
    if isinstance(error, InvalidInputError | ApiError):
        for field, messages in error.details.items():
            console.print(f"  {field}: {'; '.join(messages)}", highlight=False)
