"""A test card drawn on this machine, to see whether it can draw at all and with what."""

from __future__ import annotations

import json
import shutil
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ethereal.errors import SceneFailedError
from ethereal.render.renderer import OpenRenderer
from ethereal.scenes import scene_files

CARD = "testcard"


@dataclass(frozen=True)
class RendererFacts:
    """What draws here."""

    gl_renderer: str
    browser_version: str


def probe_renderer(open_renderer: OpenRenderer, scratch: Path) -> RendererFacts:
    """Draw one frame of the test card, staged in the empty directory `scratch`.

    Raises what `open_renderer` raises, and SceneFailedError when nothing but black comes back.
    """
    stage_card(scratch, width=160, height=90, loudness=(1.0,))
    with open_renderer(scratch) as renderer:
        for pixels in renderer.draw([1]):
            if not any(pixels[0::4]):
                raise SceneFailedError("the test card came back black")
        return RendererFacts(renderer.gl_renderer, renderer.browser_version)


def stage_card(directory: Path, *, width: int, height: int, loudness: tuple[float, ...]) -> None:
    """Make `directory` a composition of the test card, one frame per value of `loudness` (0 to 1)."""
    for place, source in scene_files(CARD).items():
        target = directory / "composition" / place
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    count = {"fps": "30/1", "frameCount": len(loudness)}
    _write(
        directory / "composition.json",
        {"scene": CARD, "width": width, "height": height, "seed": 7, "parameters": {}, **count},
    )
    _write(
        directory / "features.json",
        {"version": 1, "names": ["rms"], "tempo": 120.0, "beatConfidence": 1.0, **count},
    )
    (directory / "features.f32").write_bytes(struct.pack(f"<{len(loudness)}f", *loudness))


def _write(path: Path, value: Mapping[str, object]) -> None:
    path.write_text(json.dumps(value))
