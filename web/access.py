"""Who may: a rule on every route, checked before the view; hosts, other sites and form tokens.

Embedded (bound to this machine) everybody who reaches the app may do everything, so the Host header must name
this machine and other sites are turned away. With an API token, programs send it as a bearer and people sign
in.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from datetime import timedelta
from enum import StrEnum
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from flask import Flask, current_app, redirect, request, session, url_for
from flask.typing import ResponseReturnValue

from ethereal.errors import ForbiddenError, UnauthorizedError
from ethereal.settings import Settings
from web import pace
from web.clients import VISITOR
from web.face import settings

View = TypeVar("View", bound=Callable[..., Any])

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_FORM_BYTES = 64 << 10
TOKEN_FIELD = "csrfToken"  # noqa: S105 — the name of a field
TOKEN_HEADER = "X-CSRF-Token"  # noqa: S105 — the name of a header


class Rule(StrEnum):
    PUBLIC = "public"  #: anybody
    SIGNED = "signed"  #: the view checks the proof that the request itself carries
    PERSON = "person"  #: somebody signed in, or anybody on an open machine
    FORM = "form"  #: the same, sending a form with its token
    STREAMED_FORM = "streamed form"  #: the same; the view checks the token before it reads the file
    PERSON_OR_TOKEN = "person or token"  # noqa: S105 — a program with the bearer token, or a person


def _declare(rule: Rule) -> Callable[[View], View]:
    def declare(view: View) -> View:
        cast(Any, view).access = rule
        return view

    return declare


public = _declare(Rule.PUBLIC)
signed = _declare(Rule.SIGNED)
person = _declare(Rule.PERSON)
form = _declare(Rule.FORM)
streamed_form = _declare(Rule.STREAMED_FORM)
person_or_token = _declare(Rule.PERSON_OR_TOKEN)


def rule_of(view: Callable[..., object]) -> Rule | None:
    return getattr(view, "access", None)


def guard(app: Flask, settings: Settings, secret: bytes) -> None:
    """Make every request of the app pass the rule of its route."""
    token = settings.api_token.get_secret_value() if settings.api_token else ""
    # Another token ends all sessions.
    app.secret_key = hmac.new(secret, b"session\0" + token.encode(), hashlib.sha256).digest()
    app.config.update(
        MAX_CONTENT_LENGTH=_FORM_BYTES,
        PERMANENT_SESSION_LIFETIME=timedelta(days=30),
        SESSION_COOKIE_NAME="ethereal",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.base_url.startswith("https:"),
    )
    app.before_request(_check)
    app.jinja_env.globals["csrf_token"] = csrf_token


def _check() -> ResponseReturnValue | None:
    _check_host()
    if request.endpoint is None:  # no such route: the error is told after this
        return None
    match rule_of(current_app.view_functions[request.endpoint]):
        case Rule.PUBLIC | Rule.SIGNED:
            return None
        case Rule.PERSON_OR_TOKEN:
            _check_person_or_token()
            return None
        case Rule.PERSON | Rule.FORM | Rule.STREAMED_FORM as rule:
            return _check_person(rule)
        case None:
            raise ForbiddenError("nobody may use this route yet")


def _check_host() -> None:
    allowed = _hosts(settings())
    name = request.host.lower()
    if not name.endswith("]"):
        name = name.rpartition(":")[0] or name
    if allowed is not None and name not in allowed:
        raise ForbiddenError("this host name does not belong to this app")


def _hosts(settings: Settings) -> frozenset[str] | None:
    """The names that the app answers to; None for any."""
    named = urlsplit(settings.public_url or "").hostname
    if settings.is_loopback:
        return _LOOPBACK | ({named} if named else set())
    return frozenset({named}) if named else None


def _check_person_or_token() -> None:
    if has_token():
        return
    if not is_known():
        raise UnauthorizedError("sign in, or send the API token as a bearer")
    if request.method not in _SAFE:
        refuse_other_sites()


def _check_person(rule: Rule) -> ResponseReturnValue | None:
    if not is_known():
        return redirect(url_for("sign_in.show", next=request.full_path.rstrip("?")), 303)
    if request.method not in _SAFE:
        refuse_other_sites()
    if rule is Rule.FORM:
        check_csrf(request.form.get(TOKEN_FIELD, ""))
    return None


def has_token() -> bool:
    """Whether the request carries the bearer token. Raise UnauthorizedError for a wrong one."""
    expected, given = settings().api_token, request.authorization
    if expected is None or given is None or given.type != "bearer":
        return False
    if not _same(given.token or "", expected.get_secret_value()):
        pace.check(pace.Act.SIGN_IN)  # whoever guesses is stopped here as at the sign-in
        raise UnauthorizedError("the API token is not valid")
    return True


def is_known() -> bool:
    """Whether the person may in: signed in, or nobody has to."""
    return settings().api_token is None or session.get("person") is True


def let_in(token: str) -> None:
    """Sign the person in. Raise UnauthorizedError unless the token is right."""
    expected = settings().api_token
    if expected is None or not _same(token, expected.get_secret_value()):
        raise UnauthorizedError("this is not the token")
    session.clear()
    session.permanent = True
    session["person"] = True


def refuse_other_sites() -> None:
    """Raise ForbiddenError when a browser sends this for a page of another site."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None and site not in ("same-origin", "none"):
        raise ForbiddenError("another site may not do this")
    origin = request.headers.get("Origin")
    # Only the host is compared: a proxy may have ended TLS before us.
    if origin is not None and urlsplit(origin).netloc.lower() != request.host.lower():
        raise ForbiddenError("another site may not do this")


def csrf_token() -> str:
    """The token of this visitor's forms."""
    if "csrf" not in session:
        session["csrf"] = secrets.token_urlsafe(24)
        session[VISITOR] = secrets.token_urlsafe(9)
    return str(session["csrf"])


def check_csrf(given: str) -> None:
    """Raise ForbiddenError unless the form came from one of our pages."""
    token = given or request.headers.get(TOKEN_HEADER, "")
    if not _same(token, str(session.get("csrf", ""))) or not token:
        raise ForbiddenError("this form is too old: load the page again and send it once more")


def _same(left: str, right: str) -> bool:
    return hmac.compare_digest(left.encode(), right.encode())
