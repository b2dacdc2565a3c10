"""`ethereal ingest` and `edit`: sound goes into the library of a running system, and is cut there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from ethereal.cli.bar import Bar, open_bar, size_of
from ethereal.cli.remote import client_of, server_option, wait_for
from ethereal.client import ApiClient
from ethereal.errors import InvalidInputError

_YOUTUBE = ("https://www.youtube.com/", "https://youtube.com/", "https://m.youtube.com/", "https://youtu.be/")


@click.command()
@click.argument("source")
@click.option(
    "--i-have-the-rights", "has_rights", is_flag=True, help="Needed for YouTube; kept with the asset."
)
@server_option
def ingest(source: str, has_rights: bool, server: str | None) -> None:
    """Take sound in from SOURCE: a file, an https address, or the address of a YouTube video."""
    client, console = client_of(server), Console()
    with open_bar(console) as bar:
        job = wait_for(client, str(client.ingest(**_asked(client, source, has_rights, bar))["jobId"]), bar)
    result = job["result"]
    console.print(f"asset {result['assetId']}" + ("  was there already" if result["known"] else ""))
    facts = result["metadata"]
    console.print(
        f"{result['originalFilename']}: {facts['duration']:.1f} s, {facts['sampleRate']} Hz,"
        f" {facts['channels']} channels, {facts['codec']}",
        highlight=False,
    )


@click.command()
@click.argument("recipe", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--preview", "is_preview", is_flag=True, help="Only hear it: an MP3, nothing is saved.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Save the sound here.")
@server_option
def edit(recipe: Path, is_preview: bool, output: Path | None, server: str | None) -> None:
    """Make the sound of RECIPE, a JSON file, and let it be what its asset sounds like."""
    client, console = client_of(server), Console()
    with open_bar(console) as bar:
        asked = client.edit("preview" if is_preview else "save", _read(recipe))
        job = wait_for(client, str(asked["jobId"]), bar)
        if output:
            client.download(job["downloadUrl"], output)
    console.print(_told(job["result"]) + (f" → {output}" if output else ""), highlight=False)


def _asked(client: ApiClient, source: str, has_rights: bool, bar: Bar) -> dict[str, object]:
    if not source.startswith(("https://", "http://")):
        path = Path(source)
        if not path.is_file():
            raise InvalidInputError(f"there is no file {source}")
        key = client.upload(path, beat=lambda fraction: bar.show("sending", fraction * 100))
        return {"type": "audio_file", "storageKey": key, "filename": path.name}
    if source.startswith(_YOUTUBE):
        return {"type": "youtube", "url": source, "rightsAttested": has_rights}
    return {"type": "url", "url": source, "rightsAttested": has_rights}


def _read(recipe: Path) -> object:
    try:
        return json.loads(recipe.read_text())
    except ValueError as error:
        raise InvalidInputError(f"{recipe} is not JSON: {error}") from error


def _told(result: dict[str, Any]) -> str:
    heard = result.get("loudness") or {}
    loudness = "" if heard.get("lufs") is None else f", {heard['lufs']} LUFS, {heard['truePeak']} dBTP"
    if heard.get("limited"):
        loudness += " (its peaks allow no more)"
    seconds = result.get("durationSeconds")
    length = "" if seconds is None else f", {seconds:.1f} s"
    key = result.get("preparedKey") or result["previewKey"]
    return f"{key}: {size_of(result['sizeBytes'])}{length}{loudness}"
