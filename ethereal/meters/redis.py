"""The numbers of all processes on the broker's Redis: one hash, added to by each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import cast

from redis import Redis
from redis.exceptions import RedisError

from ethereal.meters import Series

_KEY = "ethereal:meters"


class RedisMeters:
    def __init__(self, url: str) -> None:
        self._redis = Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1, decode_responses=True)

    def add(self, amounts: Mapping[Series, float]) -> None:
        try:
            with self._redis.pipeline(transaction=False) as pipe:
                for series, amount in amounts.items():
                    pipe.hincrbyfloat(_KEY, _field(series), amount)
                pipe.execute()
        except RedisError:
            return

    def read(self) -> Mapping[Series, float]:
        try:
            fields = cast(dict[str, str], self._redis.hgetall(_KEY))
        except RedisError:
            return {}
        return {_series(field): float(number) for field, number in fields.items()}


def _field(series: Series) -> str:
    return json.dumps([series.name, series.part, *series.labels])


def _series(field: str) -> Series:
    name, part, *labels = json.loads(field)
    return Series(name, tuple(labels), part)
