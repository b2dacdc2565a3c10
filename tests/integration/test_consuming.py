"""A consumer of the real broker, over a wire that fails, with the transport that workers use."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from kombu import Connection, Consumer
from kombu.message import Message

from ethereal.embedded.broker import open_broker
from tasks import config, process
from tasks.queues import EXCHANGE, queue_named
from tests.standins.wire import Wire, open_wire
from tests.waiting import until

assert process  # its import is what a worker does first
CONTROL = queue_named("control")
QUICK = {"socket_timeout": 0.5, "health_check_interval": 1}


@pytest.fixture
def wire(tmp_path: Path) -> Iterator[Wire]:
    with open_broker(tmp_path) as url, open_wire(urlsplit(url).port or 0) as running:
        yield running


def acknowledge(message: Message, errors: Any) -> None:
    message.ack_log_error(logging.getLogger(__name__), errors)


def reject(message: Message, errors: Any) -> None:
    message.reject_log_error(logging.getLogger(__name__), errors)


@pytest.mark.parametrize("answer", [acknowledge, reject])
def test_a_consumer_whose_answer_got_lost_takes_the_next_message(
    wire: Wire, answer: Callable[[Message, Any], None]
) -> None:
    options = config.broker_transport_options | QUICK
    taken = list[Message]()
    with (
        Connection(f"redis://127.0.0.1:{wire.port}/0", transport_options=options) as connection,
        Consumer(connection, [CONTROL], on_message=taken.append, prefetch_count=1),
    ):
        send(wire)
        until(lambda: heard(connection, taken))
        wire.silence()
        answer(taken[0], connection.connection_errors)
        assert not taken[0].acknowledged, "the broker was not told"

        send(wire)
        until(lambda: len(heard(connection, taken)) > 1, 30)


def heard(connection: Connection, taken: list[Message]) -> list[Message]:
    """What was taken, after waiting a moment; a worker, too, goes on after a connection broke."""
    with contextlib.suppress(*connection.connection_errors, TimeoutError):
        connection.drain_events(timeout=1)
    return taken


def send(wire: Wire) -> None:
    """Have a message wait, past the wire."""
    options = config.broker_transport_options
    with Connection(f"redis://127.0.0.1:{wire.target}/0", transport_options=options) as past:
        past.Producer().publish({}, exchange=EXCHANGE, routing_key=CONTROL.name, declare=[CONTROL])
