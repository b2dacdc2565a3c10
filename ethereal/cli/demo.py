"""`ethereal demo`: the whole system started, one video made through its HTTP API, everything stopped."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from ethereal.cli.bar import Bar, open_bar, size_of
from ethereal.cli.up import stack_options
from ethereal.client import ApiClient
from ethereal.embedded import open_stack
from ethereal.errors import RenderError
from ethereal.settings import read_settings

SAMPLE = Path("samples/ethereal-sample.flac")


@click.command()
@click.option("--audio", type=click.Path(exists=True, dir_okay=False, path_type=Path), default=SAMPLE)
@click.option("--format", "output_format", default="draft-720p", show_default=True)
@click.option("--template", default="ethereal-flame", show_default=True)
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), default="out/demo.mp4")
def demo(audio: Path, output_format: str, template: str, output: Path) -> None:
    """Make a video of the bundled sample, as a client of the running system would."""
    settings, console = read_settings(port=0, flower_port=0), Console()
    options = stack_options(settings, show_logs=False)
    started = time.monotonic()
    with open_stack(options) as stack:
        console.print(f"The system runs at {stack.web_url}; making a video of {audio.name}.", highlight=False)
        stages = _Stages(started)
        client = ApiClient(stack.web_url)
        with open_bar(console) as bar:
            stages.enter("starting")
            job = _make(client, audio, bar, stages, outputFormat=output_format, template=template)
            stages.enter("downloading")
            client.download(job["downloadUrl"], output)
        stages.enter("")
    _tell(console, output, job["result"], stages)


class _Stages:
    """How long each stage took, in seconds."""

    def __init__(self, started: float) -> None:
        self.seconds: dict[str, float] = {}
        self._since, self._name = started, ""

    def enter(self, name: str) -> None:
        now = time.monotonic()
        if name != self._name:
            if self._name:
                self.seconds[self._name] = self.seconds.get(self._name, 0) + now - self._since
                self._since = now
            self._name = name


def _make(client: ApiClient, audio: Path, bar: Bar, stages: _Stages, **request: object) -> dict[str, Any]:
    stages.enter("uploading audio")
    key = client.upload(audio)
    sent = client.render(key, audio.name, fps=30, quality="standard", title="Ethereal demo", **request)
    job = sent
    for job in client.follow(str(sent["jobId"]), every=0.2):
        stage = job["stage"] or job["status"]
        stages.enter(stage)
        bar.show(stage, job["progress"], (job.get("eta") or {}).get("seconds"))
    if job["status"] != "complete":
        raise RenderError(f"the demo ended {job['status']}: {job.get('error')}")
    return job


def _tell(console: Console, output: Path, result: dict[str, Any], stages: _Stages) -> None:
    facts = {
        "video": str(output.absolute()),
        "size": size_of(result["sizeBytes"]),
        "picture": f"{result['width']} x {result['height']} at {result['fps']} fps",
        "duration": f"{result['durationSeconds']:.2f} s, {result['frames']} frames",
        "sha256": result["sha256"],
    }
    console.print()
    for name, fact in facts.items():
        console.print(f"  {name:<18}{fact}", highlight=False, soft_wrap=True)
    console.print()
    for name, seconds in stages.seconds.items():
        console.print(f"  [dim]{name:<18}{seconds:6.1f} s[/]", highlight=False)
