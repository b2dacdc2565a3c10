"""What a page is given of the features: the columns that its scene may read, so long sounds stay small."""

from __future__ import annotations

import json
from array import array
from dataclasses import dataclass
from pathlib import Path

_FACTS = ("version", "fps", "frameCount", "tempo", "beatConfidence")


@dataclass(frozen=True)
class WithinReach:
    """Which of `width` columns a scene may read, and features.json as it tells of those alone."""

    columns: tuple[int, ...]
    width: int
    description: bytes

    def rows(self, data: bytes) -> bytes:
        """Return features.f32 with these columns alone; broken rows stay, and the page refuses them."""
        if not self.columns or len(data) % (4 * self.width):
            return data if self.columns else b""
        rows, count = array("f", data), len(data) // (4 * self.width)
        kept = array("f", bytes(4 * count * len(self.columns)))
        for place, column in enumerate(self.columns):
            kept[place :: len(self.columns)] = rows[column :: self.width]
        return kept.tobytes()


def read_within_reach(directory: Path) -> WithinReach | None:
    """Read what is within the reach of the composition in `directory`.

    None where the scene declares none, and where a file is damaged: the page then says how.
    """
    try:
        reach = json.loads((directory / "composition.json").read_bytes()).get("reach")
        told = json.loads((directory / "features.json").read_bytes())
        if reach is None:
            return None
        columns = [column for column, name in enumerate(told["names"]) if name in reach["features"]]
        narrow = {name: told[name] for name in _FACTS if name in told}
        narrow["names"] = [told["names"][column] for column in columns]
        return WithinReach(tuple(columns), len(told["names"]), json.dumps(narrow).encode())
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
