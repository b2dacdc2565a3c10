"""Rounds sound to whole numbers; what is beyond full scale is clipped."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ethereal.audio.resample import Samples


def to_24_bits(samples: Samples) -> NDArray[np.int32]:
    """Round to 24 bits, in the upper three bytes of each number as encoders want them."""
    return np.asarray(_rounded(samples, 2**23).astype(np.int32) << 8)


def to_16_bits(samples: Samples) -> NDArray[np.int16]:
    return _rounded(samples, 2**15).astype(np.int16)


def _rounded(samples: Samples, steps: int) -> Samples:
    scaled = np.rint(np.clip(samples, -1.0, 1.0) * np.float32(steps))
    return np.asarray(np.minimum(scaled, np.float32(steps - 1)))
