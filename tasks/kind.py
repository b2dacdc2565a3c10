"""Who this worker is: its name, and its kind of renderer, measured once at its start in another process."""

from __future__ import annotations

import sys
from datetime import timedelta

from ethereal.process import run_tool
from ethereal.settings import inherited_environment

_LIMIT = timedelta(minutes=2)
_learnt: list[str] = []
_named: list[str] = []


def call_it(name: str) -> None:
    """Name this worker, before it forks."""
    _named[:] = [name]


def name() -> str:
    """The name of this worker, which holds that of its machine; empty in a process that is none."""
    return _named[0] if _named else ""


def learn() -> None:
    """Draw and encode a little, and name this machine by it. Raise ChildFailedError when it cannot draw."""
    argv = [sys.executable, "-m", "ethereal.cli", "fingerprint"]
    _learnt[:] = [run_tool(argv, timeout=_LIMIT, env=inherited_environment()).stdout.decode().strip()]


def fingerprint() -> str | None:
    """What this machine draws and encodes; None in a process that does not render."""
    return _learnt[0] if _learnt else None


def route() -> str | None:
    """The first 8 digits of the fingerprint; None in a process that does not render."""
    return _learnt[0][:8] if _learnt else None
