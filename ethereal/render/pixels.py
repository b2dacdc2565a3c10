"""Frames as they are drawn, seen as pictures."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

#: One frame: RGBA, full range, alpha straight (colours are not darkened by it), top row first, shape
#: (height, width, 4).
Pixels: TypeAlias = NDArray[np.uint8]


def pixels_of(view: memoryview, width: int, height: int) -> Pixels:
    """The frame in `view`, which a renderer gave, without a copy: its rows are gone through from the last."""
    return np.frombuffer(view, np.uint8).reshape(height, width, 4)[::-1]
