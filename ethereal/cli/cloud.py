"""`ethereal cloud deploy | check | estimate`: rendering on Modal, set up, walked through, and priced."""

from __future__ import annotations

import sys
from datetime import timedelta
from functools import partial
from math import ceil

import click
from rich.console import Console
from rich.table import Table

from ethereal.bootstrap import modal_of, open_cloud, open_job_store, open_object_store
from ethereal.dispatch.dispatcher import Cloud
from ethereal.errors import InvalidConfigError
from ethereal.jobs.request import RenderRequest
from ethereal.process import run_tool
from ethereal.render.formats import parse_fps
from ethereal.settings import Settings, inherited_environment, read_settings

DEFAULTS = RenderRequest.model_fields
_DEPLOY_LIMIT = timedelta(minutes=30)  # the first one builds the image


@click.group()
def cloud() -> None:
    """Render on Modal."""


@cloud.command()
def deploy() -> None:
    """Deploy the renderer. It needs no secrets there: every order brings what it may use."""
    settings = read_settings()
    _cloud(settings)
    command = [sys.executable, "-m", "modal", "deploy", "-m", "ethereal.modal_app"]
    run_tool(
        command,
        timeout=_DEPLOY_LIMIT,
        env=inherited_environment() | _modal_environment(settings),
        on_line=lambda line: click.echo(line),
    )


@cloud.command()
def check() -> None:
    """Walk the whole path with the real credentials; exit status 1 when a piece does not work."""
    from ethereal.cloud.check import CloudParts, check_cloud

    settings = read_settings()
    parts = CloudParts(
        partial(open_object_store, settings),
        partial(open_job_store, settings),
        _cloud(settings),
        modal_of(settings).find,
    )
    table, findings = Table("", "piece", "found", box=None), list(check_cloud(parts))
    for found in findings:
        if found.works:
            table.add_row("[green]✓", found.piece, found.said)
        else:
            table.add_row("[red]✗", found.piece, f"{found.said}\n[dim]{found.remedy}")
    Console().print(table, highlight=False)
    sys.exit(0 if all(found.works for found in findings) else 1)


@cloud.command()
@click.argument("seconds", type=click.FloatRange(min=0.1))
@click.option("--format", "output_format", default=DEFAULTS["output_format"].default, show_default=True)
@click.option("--fps", default=str(DEFAULTS["fps"].default), show_default=True)
@click.option("--quality", default=DEFAULTS["quality"].default, show_default=True)
def estimate(seconds: float, output_format: str, fps: str, quality: str) -> None:
    """Say what a video of SECONDS will take and cost, from what the latest ones of its kind did."""
    from ethereal.pipeline.estimate import estimate as estimate_render
    from ethereal.pipeline.estimate import machine_of

    settings, asked = read_settings(), {"output_format": output_format, "fps": fps, "quality": quality}
    request, terms = RenderRequest(audio_key="", filename="", **asked), _cloud(settings)
    jobs = open_job_store(settings)
    try:
        guess = estimate_render(jobs, terms, request, ceil(seconds * parse_fps(fps)))
    finally:
        jobs.close()
    cost = "no price is set" if guess.cost_usd is None else f"about ${guess.cost_usd:.3f}"
    machine = machine_of(terms, request)
    click.echo(f"{guess.seconds:.0f} s of {machine} in {guess.chunks} chunks, {cost}")


def _cloud(settings: Settings) -> Cloud:
    found = open_cloud(settings)
    if found is None:
        raise InvalidConfigError("renders are not handed to Modal: set ETHEREAL_DISPATCHER=modal")
    return found


def _modal_environment(settings: Settings) -> dict[str, str]:
    """What Modal's own command reads."""
    token, secret = settings.modal_token_id, settings.modal_token_secret
    return {
        "MODAL_TOKEN_ID": token.get_secret_value() if token else "",
        "MODAL_TOKEN_SECRET": secret.get_secret_value() if secret else "",
    }
