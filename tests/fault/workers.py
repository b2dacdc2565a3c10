"""The Celery app of the product with faults at chosen moments: `celery -A tests.fault.workers worker`."""

from __future__ import annotations

from tasks.app import app
from tests.fault import moments

__all__ = ["app"]

moments.install()
