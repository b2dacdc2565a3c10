"""The Celery app of workers whose first step hangs in a chosen way: `celery -A tests.bodies worker`.

What a job's file is called chooses it. All put an object and a file first, as work that is half done.
"""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from ethereal.beat import Beat
from ethereal.errors import SceneFailedError, TimeLimitError
from ethereal.jobs.model import JobId, StepKey, StepName
from ethereal.jobs.request import RenderRequest
from ethereal.pipeline import prepare, render
from ethereal.pipeline.attempt import Attempt, run_step
from ethereal.process import run_tool, start_guarded
from ethereal.render.capture import open_chromium_renderer
from ethereal.services import Services
from ethereal.storage import keys
from tasks import kind
from tasks.app import app
from tests.cards import write_card
from tests.hanging import CHUNKS, HANGING, LONG

__all__ = ["STUBBORN", "app"]

#: Processes that hear no SIGTERM, one of them in a session of its own; their own sleeps end with them.
STUBBORN = "trap '' TERM; setsid sh -c \"trap '' TERM; sleep 300\" & sh -c 'sleep 300' & sleep 300 & wait"


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


def deal(attempt: Attempt) -> None:
    """Deal out chunks that take moments, or long ones, and whose beginnings and ends are written down."""
    chunks = [StepKey(StepName.RENDER_CHUNK, index) for index in range(CHUNKS)]
    attempt.commit(chunks)
    attempt.announce(chunks)


def draw_chunk(services: Services, job_id: JobId, index: int) -> bool:
    return run_step(services, job_id, StepKey(StepName.RENDER_CHUNK, index), _draw_chunk)


def _draw_chunk(attempt: Attempt) -> None:
    note(attempt, "begun")
    is_long = attempt.lease.step.index == 0 and attempt.job.asked(RenderRequest).title == LONG
    for part in range(30 if is_long else 2):
        attempt.beat(HANGING, 0, 10)(part / 100)
        time.sleep(0.1)
    note(attempt, "ended")
    if attempt.commit(join=render.ASSEMBLE):
        attempt.announce([render.ASSEMBLE])


def assemble(services: Services, job_id: JobId) -> bool:
    return run_step(services, job_id, render.ASSEMBLE, lambda attempt: attempt.finish({}) and None)


def note(attempt: Attempt, what: str) -> None:
    with (attempt.services.scratch.parent / "drawn").open("a") as file:
        file.write(f"{attempt.job.id}/{attempt.lease.step} {what}\n")


def learn() -> None:
    """No browser here: all of these workers draw the same."""
    kind._learnt[:] = ["0" * 64]


def sleep_before_beat(attempt: Attempt) -> None:
    say(attempt)
    fall_asleep(attempt)
    say(attempt)
    put_and_finish(attempt, say_again(attempt))


def sleep_before_put(attempt: Attempt) -> None:
    say(attempt)
    fall_asleep(attempt)
    put_and_finish(attempt, say_again(attempt))


def sleep_at_the_end_of_put(attempt: Attempt) -> None:
    """When all bytes are written and the object is not there yet."""
    say(attempt)
    beat, calls = say_again(attempt), iter(range(10))

    def last(fraction: float) -> None:
        if next(calls) == 1:
            fall_asleep(attempt)
        beat(fraction)

    put_and_finish(attempt, last)


def sleep_before_commit(attempt: Attempt) -> None:
    say(attempt)
    fall_asleep(attempt)
    attempt.finish({"attempt": attempt.lease.attempt})


def sleep_before_failing(attempt: Attempt) -> None:
    say(attempt)
    fall_asleep(attempt)
    if attempt.lease.attempt == 1:
        raise SceneFailedError("too late")
    attempt.finish({"attempt": attempt.lease.attempt})


def fall_asleep(attempt: Attempt) -> None:
    """The first attempt stands still here, as a machine that was suspended, until somebody wakes it."""
    if attempt.lease.attempt == 1:
        os.kill(os.getpid(), signal.SIGSTOP)


def say_again(attempt: Attempt) -> Beat:
    return attempt.beat(HANGING, 0, 10)


def put_and_finish(attempt: Attempt, beat: Beat) -> None:
    """Put what tells of the attempt that made it."""
    made = attempt.folder / "made"
    made.write_text(f"attempt {attempt.lease.attempt}")
    attempt.services.objects.put(keys.render_poster(attempt.job.id), made, beat=beat)
    attempt.finish({"attempt": attempt.lease.attempt})


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
        sleep_before_beat,
        sleep_before_put,
        sleep_at_the_end_of_put,
        sleep_before_commit,
        sleep_before_failing,
        deal,
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
render.draw_chunk, render.assemble, kind.learn = draw_chunk, assemble, learn
