"""HyperFrames as a contender: what it needs, its page around one of our scenes, and how it is called.

    npm install --prefix ~/.cache/ethereal-bench node@22 hyperframes@0.8.170 \\
        @ffmpeg-installer/linux-x64 @ffprobe-installer/linux-x64
    pip install --target ~/.cache/ethereal-bench --no-deps imageio-ffmpeg

The second line is for a new FFmpeg: the one from npm is of 2018 and encodes 6 % slower. Ethereal itself needs
nothing of this.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ethereal.bench.load import FPS, Load
from ethereal.errors import MisconfiguredError
from ethereal.render.formats import get_format
from ethereal.scenes import SCENES as SCENE_FOLDER

#: What HyperFrames adds to x264's preset `medium`, and what that preset says where our own settings differ.
X264 = {
    "bframes": 0,
    "ref": 3,
    "rc-lookahead": 40,
    "mbtree": 1,
    "aq-mode": 3,
    "aq-strength": 0.8,
    "deblock": "1,1",
}
PRESET, CRF = "medium", 16

#: Its GL drivers. Where it finds no GPU it takes SwiftShader; llvmpipe when told that there is one.
DRIVERS: Mapping[str, tuple[Sequence[str], Mapping[str, str]]] = {
    "swiftshader": ((), {}),
    "llvmpipe": (("--browser-gpu",), {"EGL_PLATFORM": "surfaceless", "LIBGL_ALWAYS_SOFTWARE": "1"}),
}
_QUIET = (
    "NO_TELEMETRY",
    "NO_UPDATE_CHECK",
    "SKIP_SKILLS",
    "NO_AUTO_INSTALL",
)  # nothing fetched while it runs
_TOLD = {
    "capture": re.compile(r"(\w+) capture · "),
    "workers": re.compile(r'"workerCount":(\d+)'),
    "angle": re.compile(r"Browser launched .*--use-angle=([\w-]+)"),
    "probed": re.compile(r'renderer="([^"]+)"'),
}

_PAGE = """<!doctype html>
<html><head><meta charset="utf-8"><style>html, body {{ margin: 0 }} canvas {{ display: block }}</style></head>
<body><div id="root" data-composition-id="bench" data-start="0" data-width="{width}" data-height="{height}"
  data-duration="{seconds}" data-fps="{fps}" data-no-timeline>
<canvas id="picture" width="{width}" height="{height}"></canvas>
<audio id="sound" src="{sound}" data-start="0" data-duration="{seconds}" data-track-index="1"></audio></div>
<script type="module">
import {{ CONTEXT, openScene }} from "./runtime.js";
import * as scene from "./{scene}/scene.js";
const gl = document.getElementById("picture").getContext("webgl2", CONTEXT);
const composition = {{ width: {width}, height: {height}, seed: 1, fps: "{fps}/1", parameters: {{}} }};
const opened = openScene(gl, composition, {{}}, scene);
const show = (seconds) => opened.draw(Math.round(seconds * {fps}));
addEventListener("hf-seek", ({{ detail }}) => show(detail.time));
show(0);
</script></body></html>
"""


@dataclass(frozen=True)
class HyperFrames:
    """Where its parts lie."""

    command: Path
    node: Path
    chromium: Path
    ffmpeg: Path
    ffprobe: Path

    def call(self, page: Path, output: Path, driver: str, workers: str) -> Sequence[str]:
        """Return the command that renders `page`, as it is meant to be used but for `--crf`."""
        usual = [str(self.node), str(self.command), "render", str(page), "-o", str(output)]
        return [*usual, "--crf", str(CRF), "--workers", workers, *DRIVERS[driver][0]]

    def environment(self, driver: str) -> Mapping[str, str]:
        """Return the whole environment for that command."""
        folders = [str(path.parent) for path in (self.node, self.ffprobe)]
        return {
            **os.environ,
            **{f"HYPERFRAMES_{name}": "1" for name in _QUIET},
            "PATH": os.pathsep.join([*folders, os.environ.get("PATH", os.defpath)]),
            "HYPERFRAMES_BROWSER_PATH": str(self.chromium),
            "HYPERFRAMES_FFMPEG_PATH": str(self.ffmpeg),
            "HYPERFRAMES_FFPROBE_PATH": str(self.ffprobe),
            "NO_COLOR": "1",
            **DRIVERS[driver][1],
        }

    def versions(self) -> Mapping[str, str]:
        """Return what each part says of itself."""
        parts = {"node": self.node, "chromium": self.chromium}
        said = {name: _first_line([str(path), "--version"]) for name, path in parts.items()}
        hyperframes = _first_line([str(self.node), str(self.command), "--version"])
        return {"hyperframes": hyperframes, **said, "ffmpeg": _first_line([str(self.ffmpeg), "-version"])}


def find_hyperframes(tools: Path) -> HyperFrames:
    """Find it in `tools`; raise MisconfiguredError, which names all that is missing and how to get it."""
    modules = tools / "node_modules"
    from_pip = sorted(tools.glob("imageio_ffmpeg/binaries/ffmpeg-*"))
    needed = {
        "HyperFrames": modules / "hyperframes/bin/hyperframes.mjs",
        "Node 22": modules / "node/bin/node",
        "ffprobe": modules / "@ffprobe-installer/linux-x64/ffprobe",
        "FFmpeg": (from_pip or [modules / "@ffmpeg-installer/linux-x64/ffmpeg"])[-1],
        "Chromium": Path(shutil.which("chromium-headless-shell") or "/usr/bin/chromium-headless-shell"),
    }
    missing = [f"{name} at {path}" for name, path in needed.items() if not path.is_file()]
    if missing:
        npm = "" if shutil.which("npm") else "; npm itself is not installed"
        raise MisconfiguredError(
            f"missing: {', '.join(missing)}; the top of bench/hyperframes.py says how to install it{npm}"
        )
    command, node, ffprobe, ffmpeg, chromium = needed.values()
    return HyperFrames(command, node, chromium, ffmpeg, ffprobe)


def write_page(page: Path, load: Load, sound: Path) -> None:
    """Write a HyperFrames project that shows the scene of `load` to `sound`, by the code Ethereal runs."""
    size = get_format(load.output_format)
    shutil.copytree(SCENE_FOLDER / load.scene, page / load.scene)
    for script in SCENE_FOLDER.glob("*.js"):
        shutil.copy(script, page)
    shutil.copy(sound, page)
    facts = {
        "sound": sound.name,
        "width": size.width,
        "height": size.height,
        "seconds": float(load.frames / FPS),
    }
    (page / "index.html").write_text(_PAGE.format(**facts, fps=int(FPS), scene=load.scene))


def read_log(log: str) -> Mapping[str, str]:
    """Return what HyperFrames tells of a render: how it captured, with how many browsers and which GL.

    `probed` is the driver it found; for software it then takes `angle` swiftshader unless told otherwise.
    """
    told = {name: pattern.findall(log) for name, pattern in _TOLD.items()}
    return {name: found[-1] if found else "not told" for name, found in told.items()}


def _first_line(command: Sequence[str]) -> str:
    said = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60).stdout
    return said.strip().partition("\n")[0]
