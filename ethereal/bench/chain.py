"""What the chain itself costs a job: the time in which none of its steps ran."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from ethereal.jobs.model import Step, StepName


def chain_overhead(asked_at: datetime, steps: Sequence[Step]) -> timedelta:
    """The time from the request to the first chunk's claim in which no step of the job ran.

    Raise ValueError for a job none of whose chunks was claimed.
    """
    begun = [step.claimed_at for step in steps if step.key.name is StepName.RENDER_CHUNK and step.claimed_at]
    if not begun:
        raise ValueError("no chunk of this job was claimed")
    waited, busy_until = timedelta(), asked_at
    for claimed, finished in _runs(steps, min(begun)):
        waited += max(timedelta(), claimed - busy_until)
        busy_until = max(busy_until, finished)
    return waited


def _runs(steps: Sequence[Step], until: datetime) -> list[tuple[datetime, datetime]]:
    """When each step ran, in order, up to the claim of the first chunk."""
    return sorted(
        (step.claimed_at, step.finished_at or until)
        for step in steps
        if step.claimed_at is not None and step.claimed_at <= until
    )
