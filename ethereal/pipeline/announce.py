"""Telling workers of steps that are stored. A message that does not get through is sent again later."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from ethereal.errors import BrokerUnavailableError
from ethereal.jobs.model import Announcement
from ethereal.services import Services

logger = logging.getLogger(__name__)


def announce(services: Services, steps: Sequence[Announcement]) -> bool:
    """Return whether the broker took the messages; nothing is lost when it did not."""
    try:
        services.queue.announce(steps)
    except BrokerUnavailableError as error:
        logger.warning("%d steps wait for the reaper: %s", len(steps), error)
        return False
    return True
