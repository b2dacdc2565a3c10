"""Ports that fail at a chosen call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Failing:
    """A port that fails at its n-th call, before or after it does what was asked.

    `at` holds n and is counted down; several ports may share it.
    """

    def __init__(
        self, port: object, at: list[int], error: Callable[[], BaseException], *, after: bool
    ) -> None:
        self._port, self._at, self._error, self._after = port, at, error, after

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            self._at[0] -= 1
            if self._at[0] != 0:
                return found(*args, **kwargs)
            if self._after:
                found(*args, **kwargs)
            raise self._error()

        return call
