"""`ethereal submit`, `jobs`, `cancel`: the commands that talk to a running system."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from ethereal.cli.bar import Bar, open_bar, size_of
from ethereal.cli.container import choose_container, codec_option, container_option, transparent_option
from ethereal.cli.span import span_option
from ethereal.client import ApiClient
from ethereal.errors import RenderError
from ethereal.settings import read_settings

server_option = click.option("--server", help="Address of the web app; default: the one the settings name.")


def client_of(server: str | None) -> ApiClient:
    settings = read_settings()
    token = settings.api_token.get_secret_value() if settings.api_token else None
    return ApiClient(server or settings.base_url, token)


@click.command()
@click.argument("audio", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Wait, then save here.")
@click.option("--template", default="ethereal-flame", show_default=True)
@click.option("--format", "output_format", default="flat-1080p-landscape", show_default=True)
@click.option("--fps", type=int, default=30, show_default=True)
@click.option("--quality", default="standard", show_default=True)
@container_option
@codec_option
@transparent_option
@span_option
@click.option("--title", default="")
@server_option
def submit(audio: Path, output: Path | None, server: str | None, **asked: Any) -> None:
    """Send AUDIO to a running system; with -o wait for the video."""
    request = read_request(asked, output)
    client, console = client_of(server), Console()
    with open_bar(console) as bar:
        key = client.upload(audio, beat=lambda fraction: bar.show("sending", fraction * 100))
        job = client.render(key, audio.name, **request)
        if output:
            job = wait_for(client, str(job["jobId"]), bar)
            client.download(job["downloadUrl"], output)
    console.print(f"job {job['jobId']}" + (f" → {output}" if output else ""), highlight=False)


def read_request(asked: dict[str, Any], output: Path | None) -> dict[str, object]:
    """As the API takes it; what was not asked for is left to the server."""
    container = choose_container(asked.pop("container"), output)
    background = "transparent" if asked.pop("is_transparent") else None
    span = asked.pop("span")
    named = {
        "outputFormat": asked.pop("output_format"),
        "container": container,
        "background": background,
        "range": span and {"start": float(span[0]), "end": float(span[1])},
    }
    return {name: value for name, value in (asked | named).items() if value is not None}


def wait_for(client: ApiClient, job_id: str, bar: Bar) -> dict[str, Any]:
    """Follow the job on the bar and return it complete. Raise RenderError when it ends otherwise."""
    for job in client.follow(job_id):
        eta = (job.get("eta") or {}).get("seconds")
        bar.show(job["stage"] or job["status"], job["progress"], eta)
    if job["status"] != "complete":
        told = job.get("error") or {"code": job["status"], "message": "the job was called off"}
        raise RenderError(f"{told['code']}: {told['message']}")
    return job


@click.command()
@click.option("--status", help="Only jobs of this status.")
@click.option("--limit", type=int, default=20, show_default=True)
@server_option
def jobs(status: str | None, limit: int, server: str | None) -> None:
    """List the jobs of a running system, newest first."""
    table = Table("job", "status", "stage", "%", "title", "result", box=None)
    for job in client_of(server).jobs(status=status, limit=limit):
        result = job.get("result") or {}
        size = size_of(result["sizeBytes"]) if "sizeBytes" in result else result.get("assetId", "")
        told = job["error"]["code"] if job.get("error") else size
        title = str(job.get("title") or "")
        table.add_row(job["jobId"], job["status"], job["stage"] or "", f"{job['progress']:.0f}", title, told)
    Console().print(table)


@click.command()
@click.argument("job_id")
@server_option
def cancel(job_id: str, server: str | None) -> None:
    """Call a job off."""
    client_of(server).cancel(job_id)
    Console().print(f"job {job_id} is cancelled", highlight=False)
