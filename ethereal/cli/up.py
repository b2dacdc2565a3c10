"""`ethereal up`: everything on this machine, in the foreground."""

from __future__ import annotations

import click
from rich.console import Console

from ethereal.bootstrap import render_workers
from ethereal.embedded import StackOptions, open_stack
from ethereal.settings import Settings, inherited_environment, read_settings


def stack_options(settings: Settings, *, show_logs: bool) -> StackOptions:
    """What the embedded stack takes from the settings."""
    return StackOptions(
        environment=inherited_environment(),
        show_logs=show_logs,
        data_dir=settings.data_dir.absolute(),
        host=settings.host,
        port=settings.port,
        flower_port=settings.flower_port,
        broker_url=settings.broker_url.get_secret_value() if settings.broker_url else None,
        render_workers=render_workers(settings),
        stop_limit=settings.stop_limit,
    )


@click.command()
@click.option("--port", type=int, help="Port of the web app.")
def up(port: int | None) -> None:
    """Run the web app, the workers, the reaper and Flower until Ctrl-C."""
    settings = read_settings(**({} if port is None else {"port": port}))
    console = Console()
    with open_stack(stack_options(settings, show_logs=True)) as stack:
        console.print(f"\n  [bold]Create   [/] {stack.web_url}")
        console.print(f"  [bold]Farm     [/] {stack.farm_url}\n")
        console.print("  Ctrl-C stops everything; what waits goes on at the next start.\n", style="dim")
        stack.wait()
