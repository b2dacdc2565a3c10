"""One more worker of a running stack, as another machine would add it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from celery import Celery

from ethereal.embedded import RunningStack
from ethereal.process import GuardedProcess, start_guarded


@contextmanager
def open_worker(
    stack: RunningStack, name: str, queue: str = "render", **environment: str
) -> Iterator[GuardedProcess]:
    """The worker `name`@this host, which does one step at a time; with more variables than the stack's."""
    given = {
        **os.environ,
        **stack.options.environment,
        "ETHEREAL_BROKER_URL": stack.broker_url,
        "ETHEREAL_DATA_DIR": str(stack.options.data_dir),
        "ETHEREAL_PORT": str(stack.options.port),
        **environment,
    }
    argv = [sys.executable, "-m", "celery", "-A", "tasks.app", "worker", "-n", f"{name}@%h", "-Q", queue]
    with start_guarded([*argv, "-c", "1"], env=given, cwd=Path(__file__).parents[1]) as worker:
        yield worker


def queues_of(farm: Celery, name: str) -> set[str]:
    """What the worker `name` listens to; empty while it does not answer."""
    answers = farm.control.inspect([name], timeout=2).active_queues() or {}
    return {queue["name"] for queues in answers.values() for queue in queues}


def until_listening(farm: Celery, name: str) -> set[str]:
    for _ in range(60):
        if queues := queues_of(farm, name):
            return queues
    pytest.fail(f"{name} does not listen")
