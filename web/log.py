"""What the web app says: a line for each request that changes something or is refused."""

from __future__ import annotations

import logging

from flask import Flask, Response, request

logger = logging.getLogger(__name__)

_LOOKING = frozenset({"GET", "HEAD", "OPTIONS"})  # pages and programs that ask how a job is doing
_OFTEN = frozenset(
    {"webhooks"}
)  # every two seconds for each render elsewhere; its end is told by the pipeline


def register(app: Flask) -> None:
    app.after_request(_tell)


def _tell(response: Response) -> Response:
    """The path alone: queries hold the signatures of links."""
    is_told = request.method not in _LOOKING and request.blueprint not in _OFTEN
    if is_told or response.status_code >= 400:
        logger.info("%s %s: %d", request.method, request.path, response.status_code)
    return response
