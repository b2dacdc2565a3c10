"""/healthz: the process answers. /readyz: what it needs answers too."""

from __future__ import annotations

import logging
from collections.abc import Callable

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from ethereal.errors import EtherealError
from web import access
from web.face import face

logger = logging.getLogger(__name__)

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
@access.public
def alive() -> ResponseReturnValue:
    return {"status": "ok"}


@blueprint.get("/readyz")
@access.public
def ready() -> ResponseReturnValue:
    """200 when work can be taken; 503 naming every part that does not answer."""
    silent = {name: trouble for name, check in face().checks.items() if (trouble := _trouble(check))}
    if not silent:
        return {"status": "ok", "checks": dict.fromkeys(face().checks, "ok")}
    message = f"these parts do not answer: {', '.join(silent)}"
    details = {name: [trouble] for name, trouble in silent.items()}
    error = {"code": "UNAVAILABLE", "message": message, "details": details}
    return jsonify(error=error), 503, {"Retry-After": "5"}


def _trouble(check: Callable[[], None]) -> str | None:
    try:
        check()
    except EtherealError as error:
        logger.warning("not ready: %s", error)
        return str(error)
    return None
