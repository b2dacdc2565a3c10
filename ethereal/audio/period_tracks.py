"""Likely beat periods over a piece: those of neighbouring windows that are alike make one track."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from ethereal.audio.grid import Columns
from ethereal.audio.tempo import candidate_periods

ALIKE = 1.03
PATIENCE = 2  # windows a track may be missing in


@dataclass
class PeriodTrack:
    """Periods in rows, of the windows from `first` to `last`."""

    first: int
    last: int
    periods: list[float] = field(default_factory=list)

    @property
    def period(self) -> float:
        """The usual one."""
        return float(np.median(self.periods))

    def span(self, windows: Sequence[slice]) -> slice:
        """Return the rows of its windows and of one more on each side."""
        last = min(self.last + 1, len(windows) - 1)
        return slice(windows[max(self.first - 1, 0)].start, windows[last].stop)


def find_tracks(weight: Callable[[slice], Columns], windows: Sequence[slice]) -> list[PeriodTrack]:
    """Link the likely periods of all windows into tracks; `weight` gives that of some rows."""
    tracks: list[PeriodTrack] = []
    for number, window in enumerate(windows):
        for period in candidate_periods(weight(window)):
            track = _nearest(tracks, number, period)
            if track is None:
                tracks.append(PeriodTrack(number, number, [period]))
            else:
                track.last = number
                track.periods.append(period)
    return tracks


def _nearest(tracks: Sequence[PeriodTrack], number: int, period: float) -> PeriodTrack | None:
    def far(track: PeriodTrack) -> float:
        return abs(float(np.log(track.periods[-1] / period)))

    open_tracks = [track for track in tracks if number - PATIENCE <= track.last < number]
    nearest = min(open_tracks, key=far, default=None)
    return nearest if nearest is not None and far(nearest) < np.log(ALIKE) else None
