"""Work in a thread beside the block that needs it done by its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import TypeAlias

from ethereal.beat import Beat

_BEAT_SECONDS = 0.2

#: Waits until the work is done, and raises what it raised; the beat is called by the waiting thread.
Wait: TypeAlias = Callable[[Beat], None]


class _StoppedError(Exception):
    """The block was left."""


@contextmanager
def working_beside(work: Callable[[Beat], None]) -> Iterator[Wait]:
    """Start `work` and yield a Wait for it; a block left without waiting stops it at its next beat."""
    done, stopped = 0.0, False

    def note(fraction: float) -> None:
        nonlocal done
        if stopped:
            raise _StoppedError
        done = fraction

    def wait_for_it(beat: Beat) -> None:
        beat(done)
        while not wait([future], _BEAT_SECONDS).done:
            beat(done)
        future.result()
        beat(1.0)

    with ThreadPoolExecutor(1, "beside") as threads:
        future = threads.submit(work, note)
        try:
            yield wait_for_it
        finally:
            stopped = True
