"""Parts of a picture over time: each column of a panel is a moment of the sound."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ethereal.audio.feature_set import Features

Pixels: TypeAlias = NDArray[np.uint8]
Values: TypeAlias = NDArray[np.float64]
Colour: TypeAlias = tuple[int, int, int]

GROUND: Colour = (24, 26, 34)
#: From silence to full level.
HEAT = np.array([GROUND, (74, 38, 106), (190, 60, 90), (250, 150, 60), (255, 240, 190)], float)


@dataclass(frozen=True)
class Panel:
    """Pixels of shape (height, width, 3) that show `seconds`."""

    pixels: Pixels
    seconds: float

    @property
    def height(self) -> int:
        return len(self.pixels)

    @property
    def width(self) -> int:
        return int(self.pixels.shape[1])

    def column(self, time: float) -> int:
        """Return the column of a time in seconds."""
        return min(int(time / self.seconds * self.width), self.width - 1)

    def over_time(self, features: Features, name: str) -> Values:
        """Return the highest value of a feature in each column."""
        at = np.linspace(0, float(self.seconds * features.fps), self.width + 1)
        return per_column(features.column(name).astype(np.float64), at, np.maximum)

    def mark(self, times: Iterable[float], colour: Colour, *, bottom: float = 0.0, top: float = 1.0) -> None:
        """Draw upright lines between parts of the height, from the bottom."""
        rows = slice(round((1 - top) * self.height), round((1 - bottom) * self.height))
        for time in times:
            if time <= self.seconds:
                self.pixels[rows, self.column(time)] = colour

    def span(self, low: Values, high: Values, colour: Colour) -> None:
        """Fill each column from its low to its high, both parts of the height from the bottom."""
        rows = np.arange(self.height)[:, None]
        above = np.round((1 - high) * (self.height - 1))
        below = np.round((1 - low) * (self.height - 1))
        self.pixels[(rows >= above) & (rows <= below)] = colour

    def fill(self, values: Values, colour: Colour) -> None:
        """Fill each column from the bottom to its value; a value of 0 leaves it empty."""
        self.span(np.where(values > 0, 0.0, 2.0), values, colour)

    def curve(self, values: Values, colour: Colour, thick: float = 0.02) -> None:
        """Draw a line through the values."""
        before = np.concatenate([values[:1], values[:-1]])
        self.span(np.minimum(before, values) - thick, np.maximum(before, values), colour)

    def heat(self, levels: Values, top: int, bottom: int) -> None:
        """Show levels as colours in the rows from `top` to before `bottom`."""
        stops = np.linspace(0, 1, len(HEAT))
        colours = np.stack([np.interp(levels, stops, channel) for channel in HEAT.T], axis=1)
        self.pixels[top:bottom] = colours.astype(np.uint8)


def empty_panel(height: int, width: int, seconds: float) -> Panel:
    pixels = np.empty((height, width, 3), np.uint8)
    pixels[:] = GROUND
    return Panel(pixels, seconds)


def per_column(values: Values, at: Values, join: np.ufunc) -> Values:
    """Join the values that fall between one place of `at` and the next."""
    starts = np.minimum(at[:-1].astype(int), len(values) - 1)
    joined: Values = join.reduceat(values, starts)
    return joined


def summits(values: Values, *, least: float, apart: int) -> list[int]:
    """Return where values of at least `least` are the highest within `apart` on both sides."""
    return [
        index
        for index in np.flatnonzero(values >= least).tolist()
        if int(np.argmax(values[max(index - apart, 0) : index + apart + 1])) == min(index, apart)
    ]
