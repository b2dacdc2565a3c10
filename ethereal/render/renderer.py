"""The seam between drawing and encoding: a renderer gives pixels and knows nothing of their future."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

#: One frame: RGBA, full range, alpha straight (colours are not darkened by it), top row first, shape
#: (height, width, 4).
Pixels: TypeAlias = NDArray[np.uint8]


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


def pixels_of(view: memoryview, width: int, height: int) -> Pixels:
    """The frame in `view`, without a copy: its rows are gone through from the last."""
    return np.frombuffer(view, np.uint8).reshape(height, width, 4)[::-1]


#: Opens a renderer on a directory with composition.json, composition/, features.json and features.f32.
OpenRenderer: TypeAlias = Callable[[Path], AbstractContextManager[Renderer]]
