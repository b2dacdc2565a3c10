"""Signing in with the API token, where one is set."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from ethereal.errors import UnauthorizedError
from web import access, pace

blueprint = Blueprint("sign_in", __name__)


@blueprint.get("/login")
@access.public
def show() -> ResponseReturnValue:
    if access.is_known():
        return redirect(_next())
    return render_template("login.html", next=_next(), wrong=False)


@blueprint.post("/login")
@access.public
@pace.counted(pace.Act.SIGN_IN)
def enter() -> ResponseReturnValue:
    access.refuse_other_sites()
    access.check_csrf(request.form.get(access.TOKEN_FIELD, ""))
    access.let_in(request.form.get("token", ""))
    return redirect(_next(), 303)


@blueprint.post("/logout")
@access.form
def leave() -> ResponseReturnValue:
    session.clear()
    return redirect(url_for("sign_in.show"), 303)


@blueprint.errorhandler(UnauthorizedError)
def show_wrong(error: UnauthorizedError) -> ResponseReturnValue:
    return render_template("login.html", next=_next(), wrong=True), 401


def _next() -> str:
    """Where the person wanted to go, if that is a page of ours."""
    wanted = request.values.get("next", "")
    ours = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and "\n" not in wanted
    return wanted if ours else url_for("pages.create")
