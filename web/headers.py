"""What every response carries: a request id, and what a browser may do with the page."""

from __future__ import annotations

import re
from collections.abc import Mapping
from uuid import uuid4

from flask import Flask, Response, g, request

from ethereal import log
from ethereal.settings import Settings
from ethereal.storage.r2_bucket import r2_endpoint

_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")

_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


def register(app: Flask, settings: Settings) -> None:
    always = {**_ALWAYS, "Content-Security-Policy": _policy(_object_origin(settings))}
    if settings.base_url.startswith("https:"):
        always["Strict-Transport-Security"] = "max-age=31536000"
    app.before_request(_name_request)
    app.after_request(lambda response: _complete(response, always))


def request_id() -> str:
    """The id of this request, for people who report an error and for the log."""
    return str(g.get("request_id", ""))


def _name_request() -> None:
    given = request.headers.get("X-Request-Id", "")
    g.request_id = given if _ID.fullmatch(given) else uuid4().hex
    log.rebind(requestId=g.request_id)  # a thread of the server answers one request after the other


def _policy(objects: str) -> str:
    """Pages run our scripts and styles alone; sound and pictures come from us, the objects, or the person."""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            f"img-src 'self' blob: {objects}".rstrip(),
            f"media-src 'self' blob: {objects}".rstrip(),
            "connect-src 'self'",
            "font-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


def _object_origin(settings: Settings) -> str:
    """Where links to objects lead when this app does not serve them itself."""
    if settings.storage == "local":
        return ""
    return settings.r2_endpoint or r2_endpoint(settings.r2_account_id or "")


def _complete(response: Response, always: Mapping[str, str]) -> Response:
    response.headers["X-Request-Id"] = request_id() or uuid4().hex
    for name, value in always.items():
        response.headers.setdefault(name, value)
    if "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "no-store"
    return response
