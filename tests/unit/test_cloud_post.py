"""Reports over HTTP: sent until somebody takes them, and never to another address."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from ethereal.cloud.links import Patience
from ethereal.cloud.post import UNTIL_TAKEN, Answer, deliver_report, post_report
from ethereal.dispatch.messages import Order, Report
from ethereal.errors import UnavailableError

REPORT = Report(
    job_id="j", attempt=1, sequence=1, call_id="fc-1", status="progress", progress=1.0, stage="planning"
)


@dataclass
class Desk:
    """Where reports arrive; `answers` are the statuses it gives, the last one for ever."""

    answers: list[int]
    url: str = ""
    seen: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    @property
    def order(self) -> Order:
        fields = {"job_id": "j", "attempt": 1, "report_token": "token", "brief_url": "", "brief_sha256": ""}
        return Order(report_url=self.url, **fields)


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk([200])

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            desk.seen.append((self.headers["Authorization"], body))
            self.send_response(desk.answers.pop(0) if len(desk.answers) > 1 else desk.answers[0])
            self.send_header("Location", f"{desk.url}/elsewhere")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """What arrived is kept, not printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    desk.url = f"http://127.0.0.1:{server.server_address[1]}/api/webhooks/worker"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield desk
    server.shutdown()
    thread.join()
    server.server_close()


class HandTime:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.waits: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.waits.append(seconds)

    def patience(self, **changes: float) -> Patience:
        return Patience(**changes, sleep=self.sleep, clock=lambda: self.now)


def test_a_report_arrives_with_its_proof(desk: Desk) -> None:
    assert post_report(desk.order, REPORT, answer_seconds=5) is Answer.TAKEN
    ((proof, body),) = desk.seen
    assert proof == "Bearer token"
    assert Report.model_validate(body) == REPORT
    assert "result" not in body


def test_a_report_is_sent_again_less_and_less_often_until_it_is_taken(desk: Desk) -> None:
    desk.answers[:] = [503, 500, 429, 502, 200]
    hand = HandTime()

    assert deliver_report(desk.order, REPORT, hand.patience(total=60, first=1, most=4)) is Answer.TAKEN
    assert hand.waits == [1, 2, 4, 4]
    assert len({str(seen) for seen in desk.seen}) == 1


def test_a_sender_gives_up_after_a_quarter_of_an_hour_at_the_earliest(desk: Desk) -> None:
    desk.answers[:] = [503]
    hand = HandTime()
    last = {"total": UNTIL_TAKEN.total, "first": UNTIL_TAKEN.first, "most": UNTIL_TAKEN.most}

    with pytest.raises(UnavailableError):
        deliver_report(desk.order, REPORT, hand.patience(**last))
    assert hand.now >= 15 * 60


@pytest.mark.parametrize("status", [400, 401, 404, 409])
def test_a_refused_report_is_not_sent_again(desk: Desk, status: int) -> None:
    desk.answers[:] = [status]

    assert deliver_report(desk.order, REPORT, HandTime().patience()) is Answer.REFUSED
    assert len(desk.seen) == 1


def test_a_token_is_sent_nowhere_else(desk: Desk) -> None:
    desk.answers[:] = [302]

    with pytest.raises(UnavailableError):
        post_report(desk.order, REPORT, answer_seconds=5)
    assert len(desk.seen) == 1


def test_nobody_at_the_address_is_no_answer(desk: Desk) -> None:
    order = desk.order.model_copy(update={"report_url": "http://127.0.0.1:1/"})

    with pytest.raises(UnavailableError):
        post_report(order, REPORT, answer_seconds=1)
