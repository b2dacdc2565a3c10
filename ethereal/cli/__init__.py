"""The `ethereal` command: `up` and `demo` run the system here, `start` one process of it, `render` needs no
service at all, `plan`, `render-chunk` and `assemble` are its moves for other schedulers, `verify` holds a
video to its plan, `submit`, `jobs` and `cancel` talk to a running one, `ingest` and `edit` fill its library,
`analyze` draws what is heard in a sound, `doctor` says what this machine lacks, `storage` sets up the
bucket, `cloud` hands renders to Modal, `bench` measures.
"""

from __future__ import annotations

import gc
import sys
from importlib import import_module

import click

from ethereal import __version__
from ethereal.blas import keep_blas_to_one_thread
from ethereal.errors import EtherealError, InvalidInputError

#: The module in ethereal.cli that holds each command.
_COMMANDS = {
    "up": "up",
    "start": "start",
    "demo": "demo",
    "render": "render",
    "plan": "chunks",
    "render-chunk": "chunks",
    "assemble": "chunks",
    "verify": "verify",
    "submit": "remote",
    "ingest": "sound",
    "edit": "sound",
    "analyze": "analyze",
    "jobs": "remote",
    "cancel": "remote",
    "doctor": "doctor",
    "storage": "storage",
    "cloud": "cloud",
    "fingerprint": "fingerprint",
    "bench": "bench",
    "bench-whole": "bench_whole",
}


class _Commands(click.Group):
    """Imports a command's module when it is asked for: what one command needs costs the others no second."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = import_module(f"ethereal.cli.{_COMMANDS[cmd_name]}")
        command: click.Command = getattr(module, cmd_name.replace("-", "_"))
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="ethereal")
def cli() -> None:
    """Turn sound into video."""


def main() -> None:
    """Run the command; an error of ours is one sentence and exit status 1."""
    keep_blas_to_one_thread()
    try:
        cli()
    except EtherealError as error:
        _show(error)
        sys.exit(1)
    finally:
        gc.freeze()  # what goes with the process need not be searched for what is unused: that takes 0.2 s


def _show(error: EtherealError) -> None:
    from rich.console import Console

    from ethereal.client import ApiError  # with all of HTTP, which most commands do without

    console = Console(stderr=True)
    code = error.server_code if isinstance(error, ApiError) else error.code
    console.print(f"[bold red]{code}[/] {error}", highlight=False)
    if isinstance(error, InvalidInputError | ApiError):
        for field, messages in error.details.items():
            console.print(f"  {field}: {'; '.join(messages)}", highlight=False)
    if isinstance(error, ApiError) and error.retry_after:
        console.print(f"  Try again in {error.retry_after} seconds.", highlight=False)
