"""How often: signing in, sending work and reporting are limited by the minute, each by a setting."""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar, cast

from flask import Flask, current_app, request

from ethereal.errors import TooManyRequestsError
from ethereal.pace import MINUTE
from ethereal.settings import Settings
from web.clients import client
from web.face import face, settings

View = TypeVar("View", bound=Callable[..., Any])


class Act(StrEnum):
    """What is counted."""

    SIGN_IN = "sign in"  #: at the sign-in, and by every wrong token: by address
    SUBMIT = "submit"  #: by client
    REPORT = "report"  #: of renderers elsewhere, by address


def counted(act: Act) -> Callable[[View], View]:
    """Declare what a view does; only requests that change something are counted."""

    def declare(view: View) -> View:
        cast(Any, view).act = act
        return view

    return declare


def act_of(view: Callable[..., object]) -> Act | None:
    return getattr(view, "act", None)


def register(app: Flask) -> None:
    app.before_request(_check)


def _check() -> None:
    if request.endpoint is None or request.method in ("GET", "HEAD", "OPTIONS"):
        return
    act = act_of(current_app.view_functions[request.endpoint])
    if act is not None:
        check(act)


def check(act: Act) -> None:
    """Count this request. Raise TooManyRequestsError when it is one too many in this minute."""
    most = _most(settings(), act)
    if most is None:
        return
    who = client() if act is Act.SUBMIT else str(request.remote_addr)
    if face().pace.count(f"{act} {who}") > most:
        left = MINUTE - int(time.time()) % MINUTE
        raise TooManyRequestsError(f"too often: try again in {left} seconds", left)


def _most(settings: Settings, act: Act) -> int | None:
    """How often a minute; None: as often as one likes."""
    match act:
        case Act.SIGN_IN:
            return settings.sign_ins_per_minute
        case Act.SUBMIT:
            return settings.submits_a_minute
        case Act.REPORT:
            return settings.reports_per_minute
