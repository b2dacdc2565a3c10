"""The face: Flask. A view parses, calls one step of the domain, and shows; it catches nothing.

Errors go to the one handler in `errors.py`; who may is declared on each route with `access.py`. Only
`wsgi.py` knows of `tasks`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from ethereal.bootstrap import flower_password
from ethereal.pace import MemoryPace, Pace
from ethereal.services import Services
from ethereal.settings import Settings
from web import (
    access,
    api_assets,
    api_catalog,
    api_chunks,
    api_edit,
    api_ingest,
    api_jobs,
    api_render,
    api_storage,
    assets,
    errors,
    events,
    farm,
    headers,
    health,
    log,
    metrics,
    openapi,
    pages,
    sign_in,
    sounds,
    webhooks,
)
from web import pace as web_pace
from web.face import Face
from web.stopping import Stopping
from web.watch import Watch

_NO_CHECKS: Mapping[str, Callable[[], None]] = MappingProxyType({})


def create_app(
    services: Services,
    settings: Settings,
    *,
    secret: bytes,
    checks: Mapping[str, Callable[[], None]] = _NO_CHECKS,
    look_seconds: float = 0.5,
    pace: Pace | None = None,
) -> Flask:
    """The web app over these services.

    `secret` is what sessions are derived from; `checks` says by name what must answer before work is taken
    and raises when it does not; `look_seconds` is how often followed jobs are looked at; `pace` counts
    requests for all processes of the app.
    """
    app = Flask(__name__, static_folder=None)
    watch = Watch(partial(events.seen_jobs, services), look_seconds)
    Face(services, settings, checks, watch, pace or MemoryPace(), flower_password(secret)).attach(app)
    if settings.trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.trusted_proxies, x_proto=0)  # type: ignore[method-assign]
    access.guard(app, settings, secret)
    web_pace.register(app)
    headers.register(app, settings)
    log.register(app)
    errors.register(app)
    for module in (
        api_assets,
        api_catalog,
        api_chunks,
        api_edit,
        api_ingest,
        api_jobs,
        api_render,
        api_storage,
        assets,
        events,
        farm,
        health,
        metrics,
        openapi,
        pages,
        sign_in,
        sounds,
        webhooks,
    ):
        app.register_blueprint(module.blueprint)
    app.wsgi_app = Stopping(app.wsgi_app, watch)  # type: ignore[method-assign]
    return app
