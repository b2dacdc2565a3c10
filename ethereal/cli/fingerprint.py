"""`ethereal fingerprint`: what this machine draws and encodes, as one sha256."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import click

from ethereal.bootstrap import renderer_of
from ethereal.render.fingerprint import make_fingerprint
from ethereal.settings import read_settings


@click.command()
def fingerprint() -> None:
    """Name this machine by the pixels it draws: machines of one fingerprint share renders."""
    with TemporaryDirectory() as scratch:
        click.echo(make_fingerprint(renderer_of(read_settings()), Path(scratch)))
