"""Plans, their chunks and what they are found by go with time: buckets have rules for that, folders this."""

from __future__ import annotations

import logging

from ethereal.errors import UnavailableError
from ethereal.services import Services
from ethereal.storage.keys import StorageKey
from ethereal.storage.store import PLANS_KEPT

logger = logging.getLogger(__name__)

_MADE_AGAIN = (StorageKey("reuse/"), StorageKey("plans/"))


def sweep_plans(services: Services) -> int:
    """Remove what was last written too long ago; return how many objects. No job lives so long."""
    oldest, swept = services.clock() - PLANS_KEPT, 0
    try:
        for prefix in _MADE_AGAIN:
            old = [facts.key for facts in services.objects.list(prefix) if facts.modified_at < oldest]
            for key in old:
                services.objects.delete(key)
            swept += len(old)
    except UnavailableError as error:
        logger.warning("plans are swept another time: %s", error)
    return swept
