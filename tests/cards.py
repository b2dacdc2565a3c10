"""Compositions for capture tests: the test card, what it says, and scenes written on the spot."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ethereal.render.capture.probe import stage_card
from ethereal.render.pixels import pixels_of

#: A scene that fills the picture with its frame index; `{create}` and `{draw}` are where tests meddle.
_GREY_SCENE = """
export const expects = {{ motion: true, notBlack: true }};
export function create(gl) {{
  {create}
  return {{
    draw(frame) {{
      gl.clearColor((frame % 256) / 255, 0.5, 0.5, 1);
      gl.clear(gl.COLOR_BUFFER_BIT);
      {draw}
    }},
    dispose() {{}},
  }};
}}
"""


def write_card(directory: Path, width: int = 160, height: int = 90, frame_count: int = 100) -> Path:
    """A test card whose loudness grows from 0 to 1."""
    stage_card(
        directory,
        width=width,
        height=height,
        loudness=tuple(index / (frame_count - 1) for index in range(frame_count)),
    )
    return directory


def write_scene(directory: Path, *, create: str = "", draw: str = "") -> Path:
    """A composition of 160x90 pixels whose grey scene also runs these statements."""
    write_card(directory)
    (directory / "composition" / "grey").mkdir()
    (directory / "composition" / "grey" / "scene.js").write_text(_GREY_SCENE.format(create=create, draw=draw))
    composition = json.loads((directory / "composition.json").read_text())
    (directory / "composition.json").write_text(json.dumps({**composition, "scene": "grey"}))
    return directory


def as_picture(pixels: memoryview, width: int, height: int) -> NDArray[np.uint8]:
    """A copy of a frame as (height, width, 4)."""
    return pixels_of(pixels, width, height).copy()


def read_index(picture: NDArray[np.uint8]) -> int:
    """The frame index a test card shows."""
    height, width, _ = picture.shape
    columns = [int((bit + 0.5) * width / 24) for bit in range(24)]
    bits = picture[height // 16, columns, 0] > 127
    return int("".join("1" if bit else "0" for bit in bits), 2)
