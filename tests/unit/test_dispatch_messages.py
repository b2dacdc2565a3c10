"""What travels between the dispatcher and a renderer elsewhere: small, strict, and proven."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ethereal.dispatch.messages import MOST_ORDER_BYTES, Order, Report, read_message
from ethereal.dispatch.proof import check_token, make_token
from ethereal.errors import InvalidInputError, UnauthorizedError

SECRET = b"0123456789abcdef0123456789abcdef"
LINK = "https://account.r2.cloudflarestorage.com/bucket/" + "x" * 900


def make_order(**changes: object) -> Order:
    fields = {
        "jobId": "j",
        "attempt": 2,
        "reportUrl": "https://ethereal.example/api/webhooks/worker",
        "reportToken": make_token(SECRET, "j", 2),
        "briefUrl": LINK,
        "briefSha256": "ab" * 32,
    }
    return Order.model_validate(fields | changes)


def report(**changes: object) -> dict[str, Any]:
    fields = {"jobId": "j", "attempt": 1, "sequence": 1, "callId": "fc-1", "status": "progress"}
    return {**fields, "progress": 40.0, "stage": "rendering", **changes}


def test_an_order_travels_as_small_json_and_comes_back_as_it_was() -> None:
    order = make_order()
    sent = json.dumps(order.model_dump(mode="json"))

    assert len(sent) < MOST_ORDER_BYTES // 2
    assert read_message(Order, json.loads(sent)) == order


def test_the_token_of_an_order_does_not_show() -> None:
    assert make_token(SECRET, "j", 2) not in repr(make_order())


def test_a_report_is_read() -> None:
    read = read_message(Report, report())

    assert (read.job_id, read.progress, read.stage) == ("j", 40.0, "rendering")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"surprise": 1}, "surprise"),
        ({"sequence": 0}, "sequence"),
        ({"attempt": "x"}, "attempt"),
        ({"progress": 101}, "progress"),
        ({"progress": None}, "Report"),
        ({"stage": "<script>"}, "stage"),
        ({"status": "done"}, "status"),
        ({"status": "complete"}, "Report"),
        ({"status": "failed"}, "Report"),
        ({"error": {"code": "X", "message": "y", "secret": "z"}}, "error.secret"),
    ],
)
def test_a_report_that_is_not_whole_is_refused_by_field(changes: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        read_message(Report, report(**changes))
    assert field in refused.value.details


def test_a_token_proves_one_attempt_of_one_job_and_no_other() -> None:
    token = make_token(SECRET, "j", 1)
    check_token(SECRET, token, "j", 1)

    for wrong in ((SECRET, token, "j", 2), (SECRET, token, "k", 1), (SECRET[::-1], token, "j", 1)):
        with pytest.raises(UnauthorizedError):
            check_token(*wrong)
    for other in ("", "é", token[:-1]):
        with pytest.raises(UnauthorizedError):
            check_token(SECRET, other, "j", 1)
