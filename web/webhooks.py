"""/api/webhooks/worker: what renderers elsewhere report. Each attempt of a job has a token of its own."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from ethereal.dispatch.messages import Report, read_message
from ethereal.dispatch.proof import check_token
from ethereal.errors import InvalidInputError, UnauthorizedError
from ethereal.pipeline.reports import take_report
from web import access, pace
from web.face import services

blueprint = Blueprint("webhooks", __name__, url_prefix="/api/webhooks")


@blueprint.post("/worker")
@access.signed
@pace.counted(pace.Act.REPORT)
def hear() -> ResponseReturnValue:
    """Take a report in; the same one twice is taken once."""
    report = _read_proven()
    take_report(services(), report)
    return {"jobId": report.job_id, "attempt": report.attempt, "sequence": report.sequence}


def _read_proven() -> Report:
    """The report, once its token was checked against the attempt that it names."""
    cloud, proof = services().cloud, request.authorization
    if cloud is None or proof is None or proof.type != "bearer":
        raise UnauthorizedError("reports need the token of their attempt")
    told = _named(request.get_json(silent=True))
    check_token(cloud.secret, proof.token or "", told["jobId"], told["attempt"])
    return read_message(Report, told)


def _named(told: Any) -> dict[str, Any]:
    """What was sent, if it names a job and an attempt at all."""
    if not isinstance(told, dict):
        raise InvalidInputError("a report is a JSON object")
    if not isinstance(told.get("jobId"), str) or type(told.get("attempt")) is not int:
        raise InvalidInputError("a report names its job and attempt", {"jobId": ["is needed, and attempt"]})
    return told
