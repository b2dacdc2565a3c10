"""What a function on Modal does, between plain data in and plain data out."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any, TypeAlias

from ethereal import log
from ethereal.cloud.chunk import draw_chunk
from ethereal.cloud.machine import Machine
from ethereal.cloud.post import ask_report
from ethereal.cloud.render import render_call
from ethereal.dispatch.dispatcher import CPU
from ethereal.dispatch.messages import ChunkDone, ChunkOrder, Order, read_message
from ethereal.errors import InvalidInputError, UnavailableError
from ethereal.process import run_tool
from ethereal.render.capture import open_chromium_renderer
from ethereal.render.kept import KeptRenderer

logger = logging.getLogger(__name__)

_LDCONFIG_LIMIT = timedelta(seconds=30)

#: Has other containers carry out orders; gives what they returned, or the error that they ended with.
FanOut: TypeAlias = Callable[[Sequence[object]], Iterator[object]]


def render_order(
    told: dict[str, Any], call_id: str, machine: Machine, *, hand_on: Callable[[Any, Any], object]
) -> dict[str, Any]:
    """Carry out the order of a whole render and return its last report, which was sent too.

    A report that nobody takes is handed on with the order. Raise InvalidInputError for what is no order.
    """
    order = read_message(Order, told)
    report = render_call(order, call_id, machine, partial(ask_report, order))
    said: dict[str, Any] = report.model_dump(mode="json", exclude_none=True)
    try:
        ask_report(order, report)
    except UnavailableError as error:
        logger.warning("the last report is sent again from elsewhere: %s", error)
        hand_on(told, said)
    return said


def draw_order(told: dict[str, Any], machine: Machine) -> dict[str, Any]:
    """Carry out the order of one chunk. Raise InvalidInputError for what is no order."""
    order = read_message(ChunkOrder, told)
    with log.bind(jobId=order.job_id, chunk=f"{order.index}", requestId=order.request_id):
        logger.info("chunk %d begins", order.index)
        done = draw_chunk(order, machine)
        logger.info("chunk %d took %.1f s", order.index, done.seconds)
    said: dict[str, Any] = done.model_dump(mode="json", exclude_none=True)
    return said


def open_machine(name: str, cores: int, fan_out: FanOut) -> Machine:
    """This container, for a whole render."""
    _find_driver(name)
    return Machine(
        name=name,
        open_renderer=partial(open_chromium_renderer, scratch=_scratch()),
        fan_out=partial(_have_drawn, fan_out),
        scratch=_scratch(),
        encoders=cores,
    )


@cache
def open_drawing_machine(name: str, cores: int) -> Machine:
    """This container, for chunks: its browser may stay open from one to the next."""
    _find_driver(name)
    return Machine(
        name=name,
        open_renderer=KeptRenderer(partial(open_chromium_renderer, scratch=_scratch())),
        fan_out=_have_none_drawn,
        scratch=_scratch(),
        encoders=cores,
    )


def _find_driver(name: str) -> None:
    if name != CPU:
        run_tool(["/sbin/ldconfig"], timeout=_LDCONFIG_LIMIT)  # the driver came after the image was made


def _scratch() -> Path:
    return Path(tempfile.gettempdir()) / f"ethereal-{os.getpid()}"


def _have_drawn(fan_out: FanOut, orders: Sequence[ChunkOrder]) -> Iterator[ChunkDone]:
    """A chunk whose container failed gives no answer here."""
    for answer in fan_out([order.model_dump(mode="json") for order in orders]):
        try:
            yield read_message(ChunkDone, answer)
        except InvalidInputError:
            logger.warning("a container that drew a chunk failed: %r", answer)


def _have_none_drawn(orders: Sequence[ChunkOrder]) -> Iterator[ChunkDone]:
    yield from ()
