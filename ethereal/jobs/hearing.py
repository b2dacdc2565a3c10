"""What a sign of life of a call changes in the step it does."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from ethereal.errors import LeaseLostError
from ethereal.jobs.model import Step
from ethereal.jobs.rows import to_ms


def heard(step: Step, *, call: str, number: int, now: datetime, until: datetime) -> Step | None:
    """The running step after sign `number` of `call`; None when one no older was heard before.

    Raise LeaseLostError when another call has the attempt.
    """
    known = step.call if step.call and step.call.attempt == step.attempt else None
    if known is None:
        step = replace(step, lease_expires_at=until, deadline_at=until)
    elif known.id != call:
        raise LeaseLostError(f"call {known.id} has {step.key} of job {step.job_id}, not {call}")
    elif known.sequence >= number:
        return None
    told = {"id": call, "attempt": step.attempt, "sequence": number, "heardAt": to_ms(now)}
    return replace(step, result={**(step.result or {}), "call": told})


def is_silent(step: Step, before: datetime) -> bool:
    """Whether a call has the attempt of the step, and was not heard of since `before`."""
    call = step.call
    return call is not None and call.attempt == step.attempt and call.heard_at <= to_ms(before)
