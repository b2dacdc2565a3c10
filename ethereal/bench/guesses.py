"""What a local render would have guessed of its end on the way: its frames as they came, replayed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

from ethereal.jobs.request import EtaTold
from ethereal.pipeline.eta import MARKS, make_eta
from ethereal.render.local import LocalProgress


@dataclass
class FrameTimes:
    """A `tell` for a local render that writes down when frames were drawn, in seconds from the first word."""

    frame_count: int
    told: list[tuple[float, int]] = field(default_factory=list)
    _since: float | None = None

    def __call__(self, progress: LocalProgress) -> None:
        if progress.stage == "drawing":
            self._since = self._since or monotonic()
            self.told.append((monotonic() - self._since, progress.frames_drawn))

    def save(self, path: Path) -> None:
        """Write the guesses beside what they came to, now that the render has ended."""
        took = monotonic() - (self._since or monotonic())
        path.write_text(json.dumps([eta.model_dump() for eta in replay(self.told, self.frame_count, took)]))


def replay(told: Sequence[tuple[float, int]], frame_count: int, took: float) -> list[EtaTold]:
    """The guess at each mark from seconds and frames drawn by then; `took` is when the render ended."""
    guesses = []
    for mark in MARKS:
        reached = [(at, drawn) for at, drawn in told if at > 0 and drawn * 100 >= mark * frame_count]
        if reached:
            at, drawn = reached[0]
            guesses.append(
                EtaTold(at=mark, predicted=make_eta(drawn, frame_count, at).seconds, took=took - at)
            )
    return guesses


def load_guesses(path: Path) -> list[EtaTold]:
    return [EtaTold.model_validate(told) for told in json.loads(path.read_text())]
