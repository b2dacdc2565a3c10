"""What to draw: a scene, its parameters, size, rate and seed. Equal compositions give equal pixels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, isfinite
from typing import Literal, TypeAlias, get_args

from ethereal.errors import InvalidConfigError
from ethereal.render.formats import FRAME_RATES, Projection, spell_fps

SIDES = range(16, 8192 + 1, 2)  # H.264 in 4:2:0 needs even sides
MAX_SECONDS = 24 * 3600
SEEDS = range(2**32)
_WHOLE = Fraction(1, 1000)

_USUAL = {"background": "scene", "projection": "flat"}
#: Width over height of a picture of each projection: each eye sees twice as wide as high.
_SHAPES: Mapping[str, Fraction | None] = {"flat": None, "mono": Fraction(2), "stereo": Fraction(1)}

#: What is behind the light: what the scene draws there, or nothing, to be laid over other pictures.
Background: TypeAlias = Literal["scene", "transparent"]


@dataclass(frozen=True)
class Composition:
    """`template` only says where the parameters came from; the scene draws from `parameters` and `seed`."""

    template: str
    scene: str
    width: int
    height: int
    fps: Fraction
    seed: int
    parameters: Mapping[str, float | str | bool]
    background: Background = "scene"
    projection: Projection = "flat"

    def check(self) -> None:
        """Raise InvalidConfigError, with every field that is wrong."""
        wrong: dict[str, list[str]] = {}
        for side in ("width", "height"):
            if getattr(self, side) not in SIDES:
                wrong[side] = [f"must be even and {SIDES.start} to {SIDES.stop - 1}"]
        if self.fps not in FRAME_RATES:
            wrong["fps"] = [f"must be one of {', '.join(map(str, FRAME_RATES))}"]
        if self.seed not in SEEDS:
            wrong["seed"] = ["must be 0 to 4294967295"]
        if any(isinstance(value, float) and not isfinite(value) for value in self.parameters.values()):
            wrong["parameters"] = ["must be finite numbers"]
        wrong |= self._wrong_view()
        if wrong:
            raise InvalidConfigError(f"cannot draw this: {', '.join(wrong)}", wrong)

    def _wrong_view(self) -> dict[str, list[str]]:
        wrong: dict[str, list[str]] = {}
        if self.background not in get_args(Background):
            wrong["background"] = [f"must be one of {', '.join(get_args(Background))}"]
        if self.projection not in _SHAPES:
            return {**wrong, "projection": [f"must be one of {', '.join(_SHAPES)}"]}
        shape = _SHAPES[self.projection]
        if shape is not None and self.width != shape * self.height:
            wrong["height"] = [f"must be the width / {shape} to show all directions"]
        if shape is not None and self.background == "transparent":
            wrong["background"] = ["cannot be transparent where all directions are shown"]
        return wrong


def frame_count_for(duration: Fraction, fps: Fraction) -> int:
    """Return how many frames show `duration` seconds: up, to keep the tail, but for a hair's breadth."""
    frames = duration * fps
    nearest = round(frames)
    return max(1, nearest if abs(frames - nearest) <= _WHOLE else ceil(frames))


def page_document(composition: Composition, frame_count: int) -> dict[str, object]:
    """Return what the page is told, as it stands in composition.json."""
    return {
        "scene": composition.scene,
        "width": composition.width,
        "height": composition.height,
        "fps": spell_fps(composition.fps),
        "frameCount": frame_count,
        "seed": composition.seed,
        "parameters": dict(composition.parameters),
        **spell_view(composition),
    }


def spell_view(composition: Composition) -> dict[str, str]:
    """Return the fields for background and projection: none for what is usual and was not named once."""
    said = {"background": composition.background, "projection": composition.projection}
    return {name: value for name, value in said.items() if value != _USUAL[name]}
