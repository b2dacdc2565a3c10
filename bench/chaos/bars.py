"""What a run must have come to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

RECOVERY_OVER_LEASE_SECONDS = 30.0
SUBMIT_SECONDS = 1.0
HALF_OPEN_SECONDS = 20.0
RESTART_SECONDS = 3.0


def missed_bars(told: Mapping[str, Any], lease: float) -> list[str]:
    """Name every bar that this run misses."""
    held = {
        "every job and fault came": [told["jobs"], told["faults"]] == told["asked"],
        "no job was lost": not told["lost"],
        "no effect was doubled": not told["doubled"],
        "nothing is left of anybody's": not any(told["orphans"].values()),
        "lost steps came back in time": told["recoverySeconds"].get("max", 0)
        < lease + RECOVERY_OVER_LEASE_SECONDS,
        **_of_control(told.get("control")),
        **_of_probes(told.get("probes")),
    }
    return [name for name, is_held in held.items() if not is_held]


def _of_control(told: Mapping[str, Any] | None) -> dict[str, bool]:
    """The faults must be such that plain Celery does not stand them."""
    return {"plain Celery lost or doubled something": told is None or bool(told["lost"] + told["doubled"])}


def _of_probes(told: Mapping[str, Any] | None) -> dict[str, bool]:
    if told is None:
        return {}
    restarts = [seconds for rounds in told["takesAgainAfterRestartSeconds"].values() for seconds in rounds]
    return {
        "submits were answered without a broker": max(told["submitSeconds"]["brokerDown"]) < SUBMIT_SECONDS,
        "and kept": told["submittedAreKept"],
        "a half-open connection healed": max(told["takesAgainAfterHalfOpenSeconds"]) < HALF_OPEN_SECONDS,
        "workers took again after a restart": max(restarts) < RESTART_SECONDS,
    }
