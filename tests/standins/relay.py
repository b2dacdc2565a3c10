"""The road of reports from a renderer to the web app, on which a test may lose, double or delay them."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Literal


@dataclass
class Relay:
    """Hands every POST on to `port` of this machine. `way` is what becomes of it on the way."""

    url: str = ""
    port: int = 0
    way: Literal["straight", "lost", "twice", "late"] = "straight"
    go_on: Event = field(default_factory=Event)  #: ends the delay of what is late
    waiting: int = 0  #: how many are late
    answers: list[int] = field(default_factory=list)  #: of the web app

    def carry(self, path: str, proof: str, body: bytes) -> int:
        if self.way == "lost":
            return 503
        if self.way == "late":
            self.waiting += 1
            self.go_on.wait(60)
        if self.way == "twice":
            self._send(path, proof, body)
        return self._send(path, proof, body)

    def _send(self, path: str, proof: str, body: bytes) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"Authorization": proof, "Content-Type": "application/json"}
        connection.request("POST", path, body, headers)
        status = connection.getresponse().status
        connection.close()
        self.answers.append(status)
        return status


@contextmanager
def open_relay() -> Iterator[Relay]:
    relay = Relay()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = relay.carry(self.path, self.headers["Authorization"], body)
            try:
                self.send_response(status)
                self.end_headers()
            except OSError:  # who sent it waits no more
                self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:
            """What passes is kept, not printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = False
    relay.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield relay
    finally:
        relay.go_on.set()
        server.shutdown()
        thread.join()
        server.server_close()
