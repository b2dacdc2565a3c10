"""/farm: Flower as people see it here, behind the sign-in of this app. It shows; nothing is changed by it."""

from __future__ import annotations

from base64 import b64encode
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from urllib.parse import quote, urlsplit

from flask import Blueprint, Response, current_app, request
from flask.typing import ResponseReturnValue

from ethereal.errors import NotFoundError, UnavailableError
from web import access
from web.face import face

blueprint = Blueprint("farm", __name__, url_prefix="/farm")

_SECONDS = 10.0
_KEPT = ("Content-Type", "Cache-Control", "Etag", "Last-Modified", "Location")
_SENT = ("Accept", "Content-Type", "If-None-Match", "If-Modified-Since")
#: Flower's one script within a page: `var autorefresh = 1;` between line breaks.
_INLINE = "sha256-A0YIP5A+DKoseGAUTHRoMPDkKPK5cKzfYH3mjcCKtj8="
_POLICY = "; ".join(
    (
        "default-src 'none'",
        f"script-src 'self' '{_INLINE}'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)


@blueprint.route("/", defaults={"path": ""}, methods=["GET", "POST"])
@blueprint.route("/<path:path>", methods=["GET", "POST"])
@access.person
def show(path: str) -> ResponseReturnValue:
    """Hand a request on to Flower and its answer back. Its tables ask by POST."""
    if not face().settings.flower_address:
        raise NotFoundError("no Flower belongs to this app")
    status, headers, body = _ask(f"/farm/{quote(path, safe='/@:')}")
    response = Response(body, status, headers)
    response.headers["Content-Security-Policy"] = _POLICY
    return response


def _ask(path: str) -> tuple[int, dict[str, str], bytes]:
    address = urlsplit(face().settings.flower_address)
    kind = HTTPSConnection if address.scheme == "https" else HTTPConnection
    connection = kind(address.hostname or "", address.port, timeout=_SECONDS)
    query = request.query_string.decode("latin-1")
    target = f"{path}?{query}" if query else path
    try:
        connection.request(request.method, target, request.get_data() or None, _headers())
        return _read(connection.getresponse())
    except (OSError, HTTPException) as error:
        current_app.logger.warning("Flower does not answer: %s", error)
        raise UnavailableError("the view of the farm does not answer") from error
    finally:
        connection.close()


def _headers() -> dict[str, str]:
    """What Flower is told: neither who asks nor their cookies, and the password that this app alone has."""
    proof = b64encode(f"web:{face().flower_password}".encode()).decode()
    told = {name: request.headers[name] for name in _SENT if name in request.headers}
    return {**told, "Authorization": f"Basic {proof}"}


def _read(response: HTTPResponse) -> tuple[int, dict[str, str], bytes]:
    if response.status == 401:
        raise UnavailableError("the view of the farm was started with another secret")
    told = {name: value for name in _KEPT if (value := response.getheader(name)) is not None}
    return response.status, told, response.read()
