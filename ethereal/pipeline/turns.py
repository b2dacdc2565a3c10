"""Fair order between clients: who has ended a step calls the step whose turn it is before all that waits."""

from __future__ import annotations

import logging
from datetime import timedelta

from ethereal.errors import StoreUnavailableError
from ethereal.jobs.model import StepKey
from ethereal.jobs.turns import lane_of
from ethereal.pipeline.announce import announce
from ethereal.services import Services

logger = logging.getLogger(__name__)

_REMEMBERED = timedelta(days=1)


def call_next(services: Services, ended: StepKey) -> None:
    """Announce the next step in turn among those that this worker could do, if several clients wait.

    It comes to workers a second time then, at its old place in the queue, and is found done or running.
    """
    lane = lane_of(ended.name)
    try:
        told = services.jobs.take_turn(lane, route=services.route, now=services.clock())
    except StoreUnavailableError as error:
        logger.warning("nobody is called out of turn: %s", error)
        return
    if told is not None:
        announce(services, [told])


def forget_turns(services: Services) -> None:
    """Forget clients that were not served for a day."""
    services.jobs.forget_turns(before=services.clock() - _REMEMBERED)
