"""A refusal of the server as programs and people at a terminal get it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from ethereal import cli
from ethereal.client import ApiClient, ApiError


class Busy(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b'{"error": {"code": "TOO_MANY_JOBS", "message": "1000 of your jobs wait or run"}}'
        self.send_response(429)
        self.send_header("Retry-After", "15")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *told: object) -> None:
        pass


@pytest.fixture
def busy() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Busy) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_busy_server_says_when_to_come_again(busy: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ApiError) as refused:
        ApiClient(busy).jobs()

    assert (refused.value.status, refused.value.server_code) == (429, "TOO_MANY_JOBS")
    assert refused.value.retry_after == 15
    cli._show(refused.value)
    assert capsys.readouterr().err.splitlines() == [
        "TOO_MANY_JOBS 1000 of your jobs wait or run",
        "  Try again in 15 seconds.",
    ]
