"""Fetching from a played web with limits that tests can wait for."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from ethereal.audio.pace import FetchLimits
from ethereal.audio.source import FetchedSource, fetch_url
from tests.played_web import PlayedWeb

SONG = bytes(range(256)) * 1000
LIMITS = FetchLimits(
    max_bytes=1_000_000,
    timeout=timedelta(seconds=8),
    connect_timeout=timedelta(seconds=1),
    window=timedelta(seconds=0.5),
)


def fetch(
    web: PlayedWeb, folder: Path, path: str = "/song.wav", host: str = "127.0.0.1", **options: object
) -> FetchedSource:
    arguments = {"limits": LIMITS, "rule": web.rule} | options
    return fetch_url(web.url(path, host), folder / "song", **arguments)  # type: ignore[arg-type]
