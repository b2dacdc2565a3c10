"""How far around a frame a scene looks into the features: frames that see the same are the same picture."""

from __future__ import annotations

import json
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from pathlib import Path
from typing import Any, Literal, TypeAlias

SCENES = Path(__file__).parent

#: What can be read of the track as a whole.
OfTheWhole: TypeAlias = Literal["frameCount", "tempo", "beatConfidence"]


@dataclass(frozen=True)
class Reach:
    """Rows from `before` back to `after` ahead of a frame, in frames; columns; values of the whole track.

    `runtime.js` lets a scene read nothing else.
    """

    before: int
    after: int
    features: tuple[str, ...]
    whole: tuple[OfTheWhole, ...]


def load_reach(scene: str, fps: Fraction) -> Reach | None:
    """What `scene` declares in its reach.json, in seconds there; None where it may read everything."""
    path = SCENES / scene / "reach.json"
    if not path.is_file():
        return None
    said = json.loads(path.read_text(encoding="utf-8"))
    before, after = (ceil(Fraction(str(said[name])) * fps) for name in ("before", "after"))
    return Reach(before, after, tuple(said["features"]), tuple(said["whole"]))


def read_reach(said: dict[str, Any] | None) -> Reach | None:
    """Read what composition.json says of it."""
    if said is None:
        return None
    return Reach(said["before"], said["after"], tuple(said["features"]), tuple(said["whole"]))
