"""Renders one bench scene with HyperFrames and with Ethereal, whole processes in turn.

    npm install --prefix DIR node@22 hyperframes @ffmpeg-installer/linux-x64 @ffprobe-installer/linux-x64
    python bench/against_hyperframes.py --modules DIR/node_modules --scene bench_light --frames 300

Prints the ratio of wall times of each pair, and the PSNR between the two videos: both did the work. Both
encode with x264, preset medium, at the crf of our standard quality; HyperFrames 0.8.170 uses three references
and no B-frames, Ethereal one and three. Ethereal draws with llvmpipe where there is one, HyperFrames with
SwiftShader.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import av
import click
import numpy as np

from ethereal.bench.load import OUTPUT_FORMATS, SCENES, make_sound
from ethereal.render.formats import get_format, get_quality
from ethereal.scenes import SCENES as SCENE_FOLDER

FPS = 30
CRF = get_quality("standard").crf
ENOUGH_DECIBELS = 35.0  # 43 to 45 seen, through two GL drivers; with other sparks it was 26
PAGE = """<!doctype html>
<html><head><meta charset="utf-8"><style>html, body {{ margin: 0 }} canvas {{ display: block }}</style></head>
<body><div id="root" data-composition-id="bench" data-start="0" data-width="{width}" data-height="{height}"
  data-duration="{seconds}" data-fps="{fps}" data-no-timeline>
<canvas id="picture" width="{width}" height="{height}"></canvas></div>
<script type="module">
import {{ CONTEXT, openScene }} from "./runtime.js";
import * as scene from "./{scene}/scene.js";
const canvas = document.getElementById("picture");
const gl = canvas.getContext("webgl2", {{ ...CONTEXT, preserveDrawingBuffer: true }});
const composition = {{ width: {width}, height: {height}, seed: 1, fps: "{fps}/1", parameters: {{}} }};
const opened = openScene(gl, composition, {{}}, scene);
const show = (seconds) => opened.draw(Math.round(seconds * {fps}));
addEventListener("hf-seek", ({{ detail }}) => show(detail.time));
show(0);
</script></body></html>
"""


@click.command()
@click.option("--modules", type=click.Path(file_okay=False, path_type=Path), default="node_modules")
@click.option("--chromium", default=lambda: shutil.which("chromium-headless-shell"), help="For HyperFrames.")
@click.option("--scene", type=click.Choice(SCENES), default="bench_light", show_default=True)
@click.option("--format", "size", type=click.Choice(OUTPUT_FORMATS), default="draft-720p", show_default=True)
@click.option("--frames", type=click.IntRange(min=30), default=300, show_default=True)
@click.option("--pairs", type=click.IntRange(min=1), default=3, show_default=True)
def main(modules: Path, chromium: str | None, scene: str, size: str, frames: int, pairs: int) -> None:
    """Compare."""
    environment = find_tools(modules.resolve(), chromium)
    with TemporaryDirectory() as name:
        folder = Path(name)
        write_page(folder / "page", scene, size, frames)
        sound = str(make_sound(folder / "sound.wav", frames))
        theirs, ours = folder / "theirs.mp4", folder / "ours.mp4"
        their_command = [str(modules.resolve() / ".bin/hyperframes"), "render", str(folder / "page")]
        their_command += ["-o", str(theirs), "--crf", str(CRF), "--quiet"]
        our_command = [sys.executable, "-c", "from ethereal.cli import main; main()"]
        our_command += ["bench-whole", scene, size, str(frames), sound, str(ours)]
        ratios = []
        for _ in range(pairs):
            they, we = run(their_command, environment), run(our_command, os.environ)
            ratios.append(they / we)
            click.echo(f"HyperFrames {they:6.1f} s   Ethereal {we:6.1f} s   ratio {they / we:.2f}")
        decibels = compare(theirs, ours, frames)
    click.echo(f"{scene} {size}, {frames} frames: median ratio {median(ratios):.2f}, PSNR {decibels:.1f} dB")


def find_tools(modules: Path, chromium: str | None) -> Mapping[str, str]:
    """The environment for HyperFrames; an error names all that is missing."""
    needed = {
        "HyperFrames": modules / ".bin/hyperframes",
        "Node 22": modules / "node/bin/node",
        "FFmpeg": modules / "@ffmpeg-installer/linux-x64/ffmpeg",
        "ffprobe": modules / "@ffprobe-installer/linux-x64/ffprobe",
        "Chromium (--chromium)": Path(chromium or "chromium-headless-shell"),
    }
    missing = [f"{tool} at {path}" for tool, path in needed.items() if not path.is_file()]
    if missing:
        raise click.ClickException(f"missing: {', '.join(missing)}; see the top of this file")
    folders = [str(path.parent) for path in needed.values()]
    return {
        **os.environ,
        "PATH": os.pathsep.join([*folders[1:4], os.environ.get("PATH", os.defpath)]),
        "HYPERFRAMES_BROWSER_PATH": str(chromium),
    }


def write_page(page: Path, scene: str, size: str, frames: int) -> None:
    """The scene as a HyperFrames project."""
    form = get_format(size)
    shutil.copytree(SCENE_FOLDER / scene, page / scene)
    shutil.copy(SCENE_FOLDER / "runtime.js", page)
    facts = {"width": form.width, "height": form.height, "seconds": frames / FPS, "fps": FPS, "scene": scene}
    (page / "index.html").write_text(PAGE.format(**facts))


def run(command: list[str], environment: Mapping[str, str]) -> float:
    """Seconds that `command` takes."""
    started = time.monotonic()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise click.ClickException(f"{command[0]} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return time.monotonic() - started


def compare(theirs: Path, ours: Path, frames: int) -> float:
    """Median PSNR in dB over the frames; an error when they do not show the same."""
    decibels, counted = [], 0
    for one, other in zip(pictures(theirs), pictures(ours), strict=True):
        error = np.mean((one.astype(np.float32) - other) ** 2)
        decibels.append(10 * np.log10(255**2 / max(error, 1e-9)))
        counted += 1
    if counted != frames or median(decibels) < ENOUGH_DECIBELS:
        raise click.ClickException(f"not the same video: {counted} frames, {median(decibels):.1f} dB")
    return float(median(decibels))


def pictures(path: Path) -> Iterator[np.ndarray]:
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield frame.to_ndarray(format="rgb24")


if __name__ == "__main__":
    main()
