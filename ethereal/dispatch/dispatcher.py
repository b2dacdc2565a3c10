"""The port to machines that are not ours, and the terms on which renders are handed over to them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal, Protocol

from ethereal.dispatch.messages import Order, Report
from ethereal.dispatch.prices import Prices

RENDER, RENDER_GPU = "render_video", "render_video_gpu"
CPU = "cpu"
#: From this size on, a GPU draws for less than a CPU.
_GPU_PIXELS = 1920 * 1080


class Dispatcher(Protocol):
    """Calls functions elsewhere. Raises MisconfiguredError when it may not or there is no such function.

    Raises DispatchUnavailableError when nobody answers in time; what was asked may be done all the same.
    """

    def spawn(self, function: str, order: Order) -> str:
        """Have the order carried out and return the id of the call."""
        ...

    def look(self, call_id: str) -> Report | None:
        """The last report of a call; None while it goes on.

        Raise CallLostError when it ended without one, TimeLimitError when it ran longer than it may.
        """
        ...

    def cancel(self, call_id: str) -> None:
        """Safe to repeat, and for calls that are over."""
        ...


@dataclass(frozen=True, kw_only=True)
class Cloud:
    """Who renders elsewhere, and on what terms.

    `containers` draw one render at once, a chunk of about `chunk_seconds` each; a call may take `limit`, its
    wait in the queue included, and is asked after when it was silent for `silence`.
    """

    dispatcher: Dispatcher
    report_url: str
    secret: bytes = field(repr=False)
    gpu: str = "L4"
    use_gpu: Literal["auto", "always", "never"] = "auto"
    refuse_software: bool = True
    containers: int = 10
    chunk_seconds: float = 60.0
    limit: timedelta = timedelta(hours=2)
    silence: timedelta = timedelta(seconds=20)
    prices: Prices | None = None
    patience: timedelta = timedelta(minutes=2)  #: with a dispatcher that is away, before the step waits
    pause: Callable[[float], None] = time.sleep

    def machine_for(self, pixels: int, *, needs_gpu: bool = False) -> str:
        """What a video of that size is drawn by: the GPU, or `cpu`."""
        worth = needs_gpu or pixels >= _GPU_PIXELS
        wanted = self.use_gpu == "always" or (self.use_gpu == "auto" and worth)
        return self.gpu if wanted else CPU
