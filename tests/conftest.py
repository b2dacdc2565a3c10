"""The whole system, started for each file of tests that needs it, as `ethereal up` starts it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ethereal import log
from ethereal.client import ApiClient
from ethereal.embedded import RunningStack, StackOptions, open_stack
from tests.sounds import write_beats


@pytest.fixture(autouse=True)
def nothing_bound() -> Iterator[None]:
    """What a request of a test bound to the log is not told of the next one's."""
    yield
    log.rebind()


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    quick = {
        "ETHEREAL_LEASE_SECONDS": "8",
        "ETHEREAL_BEAT_SECONDS": "0.5",
        "ETHEREAL_RETRY_SECONDS": "1",
        "ETHEREAL_REAPER_SECONDS": "1",
        "ETHEREAL_STRAGGLER_SECONDS": "2",
        "ETHEREAL_PLAN_AGAIN_MINUTES": "0.35",
        "ETHEREAL_ALLOW_HTTP": "true",
        "ETHEREAL_STOP_SECONDS": "1",
        "ETHEREAL_LOG_FORMAT": "json",
    }
    options = StackOptions(
        data_dir=tmp_path_factory.mktemp("stack"),
        port=0,
        flower_port=0,
        environment={**os.environ, **quick},
    )
    with open_stack(options) as running:
        yield running


@pytest.fixture(scope="module")
def client(stack: RunningStack) -> ApiClient:
    return ApiClient(stack.web_url)


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_beats(tmp_path_factory.mktemp("song") / "song.wav", 10.0)
