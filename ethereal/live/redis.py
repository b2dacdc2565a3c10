"""Live progress on the broker's Redis: one hash per job, forgotten after a day."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import cast

from redis import Redis
from redis.exceptions import RedisError

from ethereal.live import LiveFrames

_KEPT_SECONDS = 86_400


class RedisLiveProgress:
    def __init__(self, url: str, clock: Callable[[], float] = time.time) -> None:
        self._redis = Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1, decode_responses=True)
        self._clock = clock

    def start(self, job_id: str, total: int, sizes: Sequence[int] = ()) -> None:
        try:
            with self._redis.pipeline() as pipe:
                pipe.hsetnx(_key(job_id), "started_at", str(self._clock()))
                pipe.hset(_key(job_id), mapping={"total": str(total), "sizes": json.dumps(list(sizes))})
                pipe.expire(_key(job_id), _KEPT_SECONDS)
                pipe.execute()
        except RedisError:
            return

    def begin(self, job_id: str, chunk: int, had: int = 0) -> None:
        now, count = str(self._clock()), str(had)
        try:
            self._redis.hset(
                _key(job_id), mapping={f"since.{chunk}": now, f"had.{chunk}": count, f"own.{chunk}": count}
            )
        except RedisError:
            return

    def predict(self, job_id: str, mark: int, when: float, seconds: float) -> None:
        try:
            self._redis.hsetnx(_key(job_id), f"predicted.{mark}", json.dumps([when, seconds]))
        except RedisError:
            return

    def put(self, job_id: str, chunk: int, frames: int, *, own: int | None = None) -> None:
        now, own = str(self._clock()), frames if own is None else own
        try:
            self._redis.hset(
                _key(job_id), mapping={str(chunk): str(frames), f"at.{chunk}": now, f"own.{chunk}": str(own)}
            )
        except RedisError:
            return

    def frames(self, job_id: str) -> LiveFrames | None:
        return self.frames_of([job_id]).get(job_id)

    def frames_of(self, job_ids: Collection[str]) -> Mapping[str, LiveFrames]:
        if not job_ids:
            return {}
        try:
            with self._redis.pipeline(transaction=False) as pipe:
                for job_id in job_ids:
                    pipe.hgetall(_key(job_id))
                answers = cast(list[dict[str, str]], pipe.execute())
        except RedisError:
            return {}
        told = zip(job_ids, map(_read, answers), strict=True)
        return {job_id: frames for job_id, frames in told if frames is not None}

    def clear(self, job_id: str) -> None:
        try:
            self._redis.delete(_key(job_id))
        except RedisError:
            return


def _read(fields: Mapping[str, str]) -> LiveFrames | None:
    if "total" not in fields or "started_at" not in fields:
        return None
    predicted = {mark: json.loads(told) for mark, told in _numbered(fields, "predicted.").items()}
    return LiveFrames(
        total=int(fields["total"]),
        started_at=float(fields["started_at"]),
        by_chunk={chunk: int(frames) for chunk, frames in _numbered(fields, "").items()},
        sizes=tuple(json.loads(fields.get("sizes", "[]"))),
        since={chunk: float(when) for chunk, when in _numbered(fields, "since.").items()},
        at={chunk: float(when) for chunk, when in _numbered(fields, "at.").items()},
        predicted={mark: (when, seconds) for mark, (when, seconds) in predicted.items()},
        had={chunk: int(frames) for chunk, frames in _numbered(fields, "had.").items()},
        own={chunk: int(frames) for chunk, frames in _numbered(fields, "own.").items()},
    )


def _numbered(fields: Mapping[str, str], prefix: str) -> dict[int, str]:
    """The fields whose name is `prefix` and a number, by that number."""
    named = {name.removeprefix(prefix): value for name, value in fields.items() if name.startswith(prefix)}
    return {int(number): value for number, value in named.items() if number.isdigit()}


def _key(job_id: str) -> str:
    return f"ethereal:live:{job_id}"
