"""Counts on the broker's Redis, for all processes of the web app: a key for each minute, soon gone."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable

from redis import Redis
from redis.exceptions import RedisError

from ethereal.pace import MINUTE

_SECONDS = 0.25  # whoever asks waits so long at most when Redis does not answer


class RedisPace:
    def __init__(self, url: str, clock: Callable[[], float] = time.time) -> None:
        self._redis = Redis.from_url(url, socket_timeout=_SECONDS, socket_connect_timeout=_SECONDS)
        self._clock = clock

    def count(self, name: str) -> int:
        key = _key(name, int(self._clock()) // MINUTE)
        try:
            with self._redis.pipeline() as pipe:
                pipe.incr(key)
                pipe.expire(key, 2 * MINUTE)
                return int(pipe.execute()[0])
        except RedisError:
            return 1


def _key(name: str, minute: int) -> str:
    """The name is told by its digest: it holds what a client sent."""
    return f"ethereal:pace:{minute}:{hashlib.sha256(name.encode()).hexdigest()[:32]}"
