"""`ethereal storage setup`: make the bucket ready for browsers, and let it forget what nobody needs."""

from __future__ import annotations

from collections.abc import Sequence

import click

from ethereal.bootstrap import open_r2_store
from ethereal.settings import read_settings
from ethereal.storage.r2_setup import set_up_bucket


@click.group()
def storage() -> None:
    """Look after the object store."""


@storage.command()
@click.option("--origin", "origins", multiple=True, help="Address people use; default: ETHEREAL_PUBLIC_URL.")
def setup(origins: Sequence[str]) -> None:
    """Apply CORS rules and expiry to the bucket. Safe to repeat."""
    settings = read_settings()
    for line in set_up_bucket(open_r2_store(settings), origins or [settings.base_url]):
        click.echo(line)
