"""Live progress on the broker's Redis: one hash per job, forgotten after a day."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import cast

from redis import Redis
from redis.exceptions import RedisError

from ethereal.live import LiveFrames

_KEPT_SECONDS = 86_400


class RedisLiveProgress:
    def __init__(self, url: str, clock: Callable[[], float] = time.time) -> None:
        self._redis = Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1, decode_responses=True)
        self._clock = clock

    def start(self, job_id: str, total: int) -> None:
        try:
            with self._redis.pipeline() as pipe:
                pipe.hsetnx(_key(job_id), "started_at", str(self._clock()))
                pipe.hset(_key(job_id), "total", str(total))
                pipe.expire(_key(job_id), _KEPT_SECONDS)
                pipe.execute()
        except RedisError:
            return

    def put(self, job_id: str, chunk: int, frames: int) -> None:
        try:
            self._redis.hset(_key(job_id), str(chunk), str(frames))
        except RedisError:
            return

    def frames(self, job_id: str) -> LiveFrames | None:
        try:
            fields = cast(dict[str, str], self._redis.hgetall(_key(job_id)))
        except RedisError:
            return None
        if "total" not in fields or "started_at" not in fields:
            return None
        by_chunk = {int(name): int(value) for name, value in fields.items() if name.isdigit()}
        return LiveFrames(int(fields["total"]), float(fields["started_at"]), by_chunk)

    def clear(self, job_id: str) -> None:
        try:
            self._redis.delete(_key(job_id))
        except RedisError:
            return


def _key(job_id: str) -> str:
    return f"ethereal:live:{job_id}"
