"""`ethereal start NAME`: one process of the Procfile, for containers and init systems."""

from __future__ import annotations

import os

import click

from ethereal.embedded.options import packaged_procfile, processes_of
from ethereal.errors import NotFoundError
from ethereal.settings import Settings, inherited_environment, read_settings


@click.command()
@click.argument("name")
def start(name: str) -> None:
    """Become the process NAME of the Procfile: signals reach it, and it has all the time it needs to stop."""
    processes = processes_of(packaged_procfile())
    if name not in processes:
        raise NotFoundError(f"there is no process {name}: there are {', '.join(processes)}")
    os.execve("/bin/sh", ["sh", "-c", f"exec {processes[name]}"], _environment(read_settings()))  # noqa: S606


def _environment(settings: Settings) -> dict[str, str]:
    """What the Procfile's lines refer to, also where it stands in `.env` only."""
    return {
        **inherited_environment(),
        "ETHEREAL_DATA_DIR": str(settings.data_dir),
        "ETHEREAL_HOST": settings.host,
        "ETHEREAL_PORT": str(settings.port),
    }
