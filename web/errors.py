"""From an error to a response: one table of statuses, one envelope for programs, one page for people."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from flask import Flask, Response, jsonify, make_response, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from ethereal.errors import (
    ConflictError,
    EtherealError,
    ForbiddenError,
    GoneError,
    InvalidInputError,
    NotBuiltError,
    NotFoundError,
    TooLargeError,
    TooManyRequestsError,
    UnauthorizedError,
    UnavailableError,
    UnreadableAudioError,
)
from web.headers import request_id
from web.words import trouble_of

logger = logging.getLogger(__name__)

STATUS_OF: Mapping[type[EtherealError], int] = {
    EtherealError: 500,
    InvalidInputError: 400,
    UnreadableAudioError: 422,
    TooLargeError: 413,
    ForbiddenError: 403,
    UnauthorizedError: 401,
    NotFoundError: 404,
    GoneError: 410,
    ConflictError: 409,
    TooManyRequestsError: 429,
    NotBuiltError: 501,
    UnavailableError: 503,
}

#: Codes of what Flask itself refuses.
CODE_OF: Mapping[int, str] = {
    400: "VALIDATION_ERROR",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    413: "TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    416: "RANGE_NOT_SATISFIABLE",
    500: "INTERNAL_ERROR",
}

_OURS = "Something went wrong on our side."
_RETRY_SECONDS = "5"
_FOR_PROGRAMS = ("/api/", "/healthz", "/readyz", "/metrics", "/static/", "/scenes/")


def register(app: Flask) -> None:
    app.register_error_handler(EtherealError, show_error)
    app.register_error_handler(HTTPException, _show_refusal)
    app.register_error_handler(Exception, _show_accident)


def status_of(error: EtherealError) -> int:
    """The HTTP status of an error: that of its nearest kind in the table."""
    return next(STATUS_OF[kind] for kind in type(error).__mro__ if kind in STATUS_OF)


def show_error(error: EtherealError) -> Response:
    status = status_of(error)
    if status == 500:
        logger.error("request %s: %s: %s", request_id(), error.code, error, exc_info=error)
    message = _OURS if status == 500 else str(error)
    details = error.details if isinstance(error, InvalidInputError) else None
    response = _respond(status, error.code, message, details)
    response.headers.update(headers_of(error))
    return response


def headers_of(error: EtherealError) -> dict[str, str]:
    """What a client is told beside the error: how to prove itself, when to come again."""
    if isinstance(error, TooManyRequestsError):
        return {"Retry-After": str(error.retry_after)}
    more = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": _RETRY_SECONDS}}
    return more.get(status_of(error), {})


def problems_of(error: InvalidInputError | TooManyRequestsError, place: str) -> dict[str, list[str]]:
    """What is wrong beside each field of a form, or at a `place` that is not a field's."""
    if isinstance(error, InvalidInputError):
        return error.details or {"file": [str(error)]}
    return {place: [str(error)]}


def _show_refusal(error: HTTPException) -> ResponseReturnValue:
    status = error.code or 500
    message = "" if for_people() else error.description or error.name  # the page has kinder words
    response = _respond(status, CODE_OF.get(status, "REFUSED"), message, None)
    for name, value in error.get_headers():
        if name not in ("Content-Type", "Content-Length"):
            response.headers[name] = value
    return response


def _show_accident(error: Exception) -> ResponseReturnValue:
    logger.error("request %s failed", request_id(), exc_info=error)
    return _respond(500, CODE_OF[500], _OURS, None)


def _respond(status: int, code: str, message: str, details: Mapping[str, list[str]] | None) -> Response:
    if for_people():
        page = render_template(
            "error.html", status=status, code=code, message=message, trouble=trouble_of(status)
        )
        return make_response(page, status)
    body: dict[str, object] = {"code": code, "message": message}
    if details:
        body["details"] = details
    return make_response(jsonify(error=body), status)


def for_people() -> bool:
    """Whether somebody looks at the answer: a page, or a link to a file that was opened in a browser."""
    opened = request.headers.get("Sec-Fetch-Dest") == "document"
    return opened or not request.path.startswith(_FOR_PROGRAMS)
