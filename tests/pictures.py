"""Looks at the frames of a video."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import av
import numpy as np
from numpy.typing import NDArray


def read_frames(video: Path) -> NDArray[np.float64]:
    """Every frame as mean luminance over a 16 x 9 grid: shape (frames, 9, 16), 0 to 255."""
    with av.open(str(video)) as container:
        frames = [
            frame.reformat(width=16, height=9, format="gray").to_ndarray()
            for frame in container.decode(video=0)
        ]
    return cast(NDArray[np.float64], np.asarray(frames, dtype=np.float64))


def read_jpeg(path: Path) -> NDArray[np.uint8]:
    assert path.read_bytes()[:3] == b"\xff\xd8\xff"
    with av.open(str(path)) as container:
        picture = cast(NDArray[np.uint8], next(container.decode(video=0)).to_ndarray(format="rgb24"))
    return picture
