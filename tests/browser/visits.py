"""A page of a running app, visited by a browser, and everything the browser complained about."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from playwright.sync_api import Page
from werkzeug.serving import make_server

from tests.waiting import until
from tests.web_builders import Web

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


@dataclass
class Visit:
    """What the browser complained about is told by `complaints`, but for what slow software drawing says."""

    web: Web
    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", lambda message: self._note(message.type, message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def open(self, path: str = "/") -> None:
        self.page.goto(self.url + path)

    def _note(self, kind: str, text: str) -> None:
        if kind in ("error", "warning") and "GPU stall" not in text:
            self.complaints.append(text)


def wait_on(page: Page, condition: Callable[[], object]) -> None:
    """Wait for what only the page can say; its policy forbids Playwright's own way, which evaluates text."""
    until(condition, pause=lambda seconds: page.wait_for_timeout(seconds * 1000))


@contextmanager
def served(web: Web) -> Iterator[tuple[Web, str]]:
    server = make_server("127.0.0.1", 0, _closing_answers(web.app), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield web, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _closing_answers(app: WSGIApplication) -> WSGIApplication:
    """Werkzeug's server leaves an answer open whose reader goes away; this one closes with its generator."""

    def call(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        answer = app(environ, start_response)
        try:
            yield from answer
        finally:
            if hasattr(answer, "close"):
                answer.close()

    return call
