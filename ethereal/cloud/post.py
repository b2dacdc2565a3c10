"""Posting a report: once, or again and again until somebody took it."""

from __future__ import annotations

from enum import StrEnum
from http.client import HTTPException
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from ethereal.cloud.links import Patience
from ethereal.dispatch.messages import Order, Report
from ethereal.errors import UnavailableError

#: While nobody takes a report, it is sent again for this long.
UNTIL_TAKEN = Patience(total=20 * 60.0, first=1.0, most=60.0, answer=20.0)
A_MOMENT = Patience(total=2.0, first=0.5, most=2.0, answer=10.0)
#: Refusals that are none of the report.
_PASSING = frozenset({408, 425, 429})


class Answer(StrEnum):
    """What became of a report."""

    TAKEN = "taken"
    REFUSED = "refused"  #: the attempt is over, or the report was wrong: sending it again helps nobody


class _NoRedirect(HTTPRedirectHandler):
    """A token goes where it was meant for, nowhere else."""

    def redirect_request(self, *_: object) -> None:
        return None


def post_report(order: Order, report: Report, *, answer_seconds: float) -> Answer:
    """Send the report once. Raise UnavailableError when nobody took or refused it."""
    status = post_once(order, report, answer_seconds=answer_seconds)
    if 200 <= status < 300:
        return Answer.TAKEN
    if 400 <= status < 500 and status not in _PASSING:
        return Answer.REFUSED
    raise UnavailableError(f"the report was answered with {status}")


def post_once(order: Order, report: Report, *, answer_seconds: float) -> int:
    """Send the report and return the status of the answer. Raise UnavailableError when there is none."""
    request = Request(  # noqa: S310 — the dispatcher's own address
        order.report_url,
        data=report.model_dump_json(exclude_none=True).encode(),
        headers={
            "Content-Type": "application/json",
            "Authorization": f"Bearer {order.report_token.get_secret_value()}",
        },
        method="POST",
    )
    try:
        with build_opener(_NoRedirect).open(request, timeout=answer_seconds) as answer:
            return int(answer.status)
    except HTTPError as error:
        error.close()
        return error.code
    except (URLError, HTTPException, OSError) as error:
        raise UnavailableError(f"nobody takes the report: {error}") from error


def deliver_report(order: Order, report: Report, patience: Patience = UNTIL_TAKEN) -> Answer:
    """Send the report until it is taken or refused. Raise UnavailableError when the patience is over."""
    return patience.keep_trying(lambda: post_report(order, report, answer_seconds=patience.answer))


def ask_report(order: Order, report: Report, patience: Patience = A_MOMENT) -> Answer:
    """The same for a report that a render waits for. Raise UnavailableError after a few seconds."""
    return deliver_report(order, report, patience)
