"""What tells the beat where accents come early or late: a snare on every other beat, a kick on each."""

from __future__ import annotations

from ethereal.audio.grid import Columns

BAR = 4  # beats
LEAST_BEATS = 2 * BAR


def backbeat(on: Columns, between: Columns) -> float:
    """How clearly every other beat alone has accents of the middle bands, 0..1.

    `on` are those at the beats, `between` those half a beat later. A chain at twice the tempo has them at one
    of four of its beats, one at half of it at all or none, a shifted one between: none of these is clear.
    """
    if len(on) < LEAST_BEATS:
        return 0.0
    first, second, third, fourth = _in_bars(on)
    elsewhere = float(between.mean())
    odd = min(first, third) - max(second, fourth, elsewhere)
    even = min(second, fourth) - max(first, third, elsewhere)
    return _part(max(odd, even), max(first, second, third, fourth))


def steadiness(on: Columns, between: Columns) -> float:
    """How clearly each beat of a bar, and nothing half a beat later, has accents of the bass, 0..1."""
    if len(on) < LEAST_BEATS:
        return 0.0
    places = _in_bars(on)
    return _part(min(places) - float(between.mean()), max(places))


def _in_bars(accents: Columns) -> list[float]:
    return [float(accents[place::BAR].mean()) for place in range(BAR)]


def _part(clear: float, most: float) -> float:
    return max(clear, 0.0) / most if most > 0 else 0.0
