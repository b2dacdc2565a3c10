"""The pulse of long work: called often with the fraction done, it may raise to stop the work."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

Beat: TypeAlias = Callable[[float], None]


def no_beat(fraction: float) -> None:
    """For work that nobody watches."""
