"""The Celery app of workers whose first step hangs in a chosen way: `celery -A tests.bodies worker`.

What a job's file is called chooses it. All put an object and a file first, as work that is half done.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from ethereal.errors import TimeLimitError
from ethereal.jobs.model import JobId, StepKey, StepName
from ethereal.jobs.request import RenderRequest
from ethereal.pipeline import prepare
from ethereal.pipeline.attempt import Attempt, run_step
from ethereal.process import run_tool, start_guarded
from ethereal.render.capture import open_chromium_renderer
from ethereal.services import Services
from ethereal.storage import keys
from tasks.app import app
from tests.cards import write_card

__all__ = ["STUBBORN", "app"]

#: Processes that hear no SIGTERM, one of them in a session of its own; their own sleeps end with them.
STUBBORN = "trap '' TERM; setsid sh -c \"trap '' TERM; sleep 300\" & sh -c 'sleep 300' & sleep 300 & wait"
HANGING = "hanging"  # the stage of a job whose body hangs


def hang(attempt: Attempt) -> None:
    """Wait in a library's call, with the lock that all Python of this process needs, for ever."""
    say(attempt)
    libc, lock = ctypes.PyDLL(None), ctypes.create_string_buffer(64)
    libc.pthread_mutex_lock(lock)
    libc.pthread_mutex_lock(lock)


def wait_for_family(attempt: Attempt) -> None:
    beat = attempt.beat(HANGING, 0, 10)
    run_tool(["sh", "-c", STUBBORN], timeout=timedelta(minutes=5), beat=beat)


def hang_with_family(attempt: Attempt) -> None:
    with start_guarded(["sh", "-c", STUBBORN]):
        hang(attempt)


def wait_for_family_and_wait_again(attempt: Attempt) -> None:
    """As code does that catches all errors."""
    while True:
        try:
            wait_for_family(attempt)
        except TimeLimitError:
            continue


def draw(attempt: Attempt) -> None:
    with open_chromium_renderer(write_card(attempt.folder / "card")) as renderer:
        for index, _ in enumerate(renderer.draw(range(10_000_000))):
            attempt.beat(HANGING, 0, 10)(index / 10_000_000)
            time.sleep(0.05)  # one core is for others


def hang_with_browser(attempt: Attempt) -> None:
    with open_chromium_renderer(write_card(attempt.folder / "card")) as renderer:
        for _ in renderer.draw(range(10_000_000)):
            hang(attempt)


def end_soon(attempt: Attempt) -> None:
    """Work of two seconds."""
    for part in range(10):
        attempt.beat(HANGING, 0, 10)(part / 10)
        time.sleep(0.2)
    attempt.commit()


def say(attempt: Attempt) -> None:
    attempt.beat(HANGING, 0, 10)(0.5)


BODIES: dict[str, Callable[[Attempt], None]] = {
    body.__name__: body
    for body in (
        hang,
        wait_for_family,
        hang_with_family,
        wait_for_family_and_wait_again,
        draw,
        hang_with_browser,
        end_soon,
    )
}


def _prepare(services: Services, job_id: JobId) -> bool:
    return run_step(services, job_id, StepKey(StepName.PREPARE_AUDIO), _body)


def _body(attempt: Attempt) -> None:
    half = attempt.folder / "half"
    half.write_text("half")
    attempt.services.objects.put(keys.render_audio(attempt.job.id), half)
    BODIES[Path(attempt.job.asked(RenderRequest).filename).stem](attempt)


prepare.prepare = _prepare
