"""The seam between drawing and encoding: a renderer gives pixels and knows nothing of their future."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol, TypeAlias


class Renderer(Protocol):
    """Draws the frames of one composition."""

    @property
    def gl_renderer(self) -> str:
        """What the driver calls itself."""
        ...

    @property
    def browser_version(self) -> str: ...

    def draw(self, frames: Sequence[int]) -> Iterator[memoryview]:
        """Yield `frames` in the order asked: RGBA, 8 bits each, bottom row first, width * height * 4 bytes.

        A view is valid until the next one is asked for. Raises SceneFailedError or BrowserCrashedError.
        """
        ...


#: Opens a renderer on a directory with composition.json, composition/, features.json and features.f32.
OpenRenderer: TypeAlias = Callable[[Path], AbstractContextManager[Renderer]]
