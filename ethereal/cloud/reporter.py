"""What a render elsewhere says while it works: how far it is, about every two seconds, and how it ended."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, TypeAlias

from ethereal.beat import Beat
from ethereal.cloud.post import Answer
from ethereal.dispatch.messages import Order, Report, Trouble
from ethereal.errors import EtherealError, LeaseLostError, UnavailableError
from ethereal.jobs.request import RenderResult

logger = logging.getLogger(__name__)

_EVERY_SECONDS = 2.0

#: Sends a report once; raises UnavailableError when nobody answers.
Post: TypeAlias = Callable[[Report], Answer]


class Reporter:
    """Speaks for one call. Progress that does not get through is lost; a refusal stops the work."""

    def __init__(
        self, order: Order, call_id: str, post: Post, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._order, self._call_id, self._post, self._clock = order, call_id, post, clock
        self._sequence = 0
        self._stage, self._told_at = "", 0.0
        self._sending: Future[Answer] | None = None
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="report")

    def ask(self, stage: str, percent: float) -> None:
        """Ask whether this call may begin a stage. Raise LeaseLostError when not; silence is a yes."""
        self._wait()
        try:
            answer = self._post(self._progress(stage, percent))
        except UnavailableError as error:
            logger.warning("nobody hears that %s begins: %s", stage, error)
        else:
            self._obey(answer)

    def beat(self, stage: str, low: float, high: float) -> Beat:
        """A pulse that maps 0..1 of a stage to `low`..`high` % of the job; raises LeaseLostError to stop."""

        def tell(fraction: float) -> None:
            if self._sending is not None and not self._sending.done():
                return
            self._hear()
            if stage != self._stage or self._clock() - self._told_at >= _EVERY_SECONDS:
                self._stage, self._told_at = stage, self._clock()
                progress = self._progress(stage, low + (high - low) * min(max(fraction, 0.0), 1.0))
                self._sending = self._pool.submit(self._post, progress)

        return tell

    def complete(self, result: RenderResult, parts: int | None = None) -> Report:
        """The last report of a render that ended well, with the parts that its video was put in."""
        return self._report(status="complete", result=result, parts=parts)

    def failed(self, error: EtherealError) -> Report:
        """The last report of one that did not."""
        return self._report(status="failed", error=Trouble(code=error.code, message=str(error)[:4000]))

    def close(self) -> None:
        """Wait for the progress that is on its way: it must not come after the last report."""
        self._pool.shutdown(cancel_futures=True)

    def _wait(self) -> None:
        """Reports must come in order."""
        if self._sending is not None:
            wait({self._sending})
            self._hear()

    def _hear(self) -> None:
        sent, self._sending = self._sending, None
        if sent is None:
            return
        try:
            self._obey(sent.result())
        except UnavailableError as error:
            logger.warning("progress was not heard: %s", error)

    def _obey(self, answer: Answer) -> None:
        if answer is Answer.REFUSED:
            raise LeaseLostError(f"attempt {self._order.attempt} of job {self._order.job_id} is over")

    def _progress(self, stage: str, percent: float) -> Report:
        return self._report(status="progress", stage=stage, progress=round(percent, 2))

    def _report(self, **said: Any) -> Report:
        # The clock makes numbers rise from one run of a call to the next, on whatever machine.
        self._sequence = max(self._sequence + 1, int(self._clock() * 1000))
        return Report(
            job_id=self._order.job_id,
            attempt=self._order.attempt,
            call_id=self._call_id,
            sequence=self._sequence,
            **said,
        )
