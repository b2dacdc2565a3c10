"""A page that puts a file straight into the bucket and gets it back, preflight and all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from playwright.sync_api import Browser

from ethereal.storage.keys import StorageKey
from ethereal.storage.r2 import R2ObjectStore
from ethereal.storage.r2_setup import set_up_bucket
from tests.standins.r2 import open_r2

KEY = StorageKey("uploads/12345678-1234-1234-1234-123456789abc/original.flac")
SIZE = 300_000
HOUR = timedelta(hours=1)
#: Puts `size` bytes and returns the status, or `refused` when the browser does not let the page.
PUT = """
async ([url, headers, size]) => {
  const body = new Uint8Array(size).map((_, index) => index % 251);
  try { return (await fetch(url, {method: "PUT", headers, body})).status; } catch { return "refused"; }
}
"""
GET = "async (url) => [...new Uint8Array(await (await fetch(url)).arrayBuffer())].length"


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>page</title>")

    def log_message(self, format: str, *args: object) -> None:
        """Nothing to tell."""


@contextmanager
def open_site() -> Iterator[str]:
    """A site of another origin than the bucket."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Page)
    thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def site() -> Iterator[str]:
    with open_site() as origin:
        yield origin


def test_a_page_puts_and_gets_once_the_bucket_was_set_up_for_it(browser: Browser, site: str) -> None:
    with open_r2() as r2:
        store = R2ObjectStore(r2.bucket())
        link = store.sign_put(KEY, size=SIZE, content_type="audio/flac", lifetime=HOUR)
        page = browser.new_page()
        page.goto(site)

        def put(size: int) -> object:
            return page.evaluate(PUT, [link.url, dict(link.headers), size])

        assert put(SIZE) == "refused"
        assert not store.exists(KEY)
        set_up_bucket(store, [site])

        assert put(SIZE + 1) == 403
        assert not store.exists(KEY)
        assert put(SIZE) == 200
        assert r2.seen["OPTIONS"] >= 2
        assert store.stat(KEY).size == SIZE
        assert page.evaluate(GET, store.sign_get(KEY, lifetime=HOUR)) == SIZE
        page.close()
