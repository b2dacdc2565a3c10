"""The visual scenes: a folder each, with a `scene.js` that draws any frame from its index alone.

Everything here runs unchanged in the browser preview and in the renderer, and loads nothing from outside its
folder but the shared scripts beside this file. No scene keeps state between frames, reads a clock or throws
dice.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ethereal.errors import InvalidInputError

SCENES = Path(__file__).parent
SHARED = ("draw.html", "draw.js", "draw_worker.js", "runtime.js")


def scene_names() -> tuple[str, ...]:
    """Every scene there is, in alphabetical order."""
    return tuple(sorted(script.parent.name for script in SCENES.glob("*/scene.js")))


def scene_files(scene: str) -> Mapping[str, Path]:
    """Every file needed to draw `scene`, by its place inside a plan's `composition/`, in byte order.

    Raises InvalidInputError, naming the choices, for a scene there is not.
    """
    names = scene_names()
    if scene not in names:
        message = f"no scene {scene!r}; there are {', '.join(names)}"
        raise InvalidInputError(message, {"scene": [message]})
    own = (path for path in (SCENES / scene).rglob("*") if path.is_file())
    files = [*(SCENES / name for name in SHARED), *own]
    placed = {path.relative_to(SCENES).as_posix(): path for path in files}
    return dict(sorted(placed.items()))
