"""SIGTERM to the web app: streams end as streams do, uploads end well or are told why; nothing is left."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from ethereal.client import ApiClient
from ethereal.embedded.options import packaged_procfile, processes_of
from ethereal.embedded.ports import hold_free_port
from ethereal.errors import EtherealError
from tests.small_farm import SmallFarm, open_small_farm
from tests.sounds import write_beats
from tests.waiting import until

STOP = 3


@dataclass(frozen=True)
class Web:
    client: ApiClient
    process: subprocess.Popen[bytes]
    log: Path


@pytest.fixture
def farm(tmp_path: Path) -> Iterator[SmallFarm]:
    with open_small_farm(tmp_path, stop_seconds=str(STOP)) as farm:
        yield farm


@pytest.fixture
def web(farm: SmallFarm, tmp_path: Path) -> Iterator[Web]:
    """The web app as the Procfile starts it."""
    log = tmp_path / "web.log"
    command = ["sh", "-c", f"exec {processes_of(packaged_procfile())['web']}"]
    with (
        hold_free_port("127.0.0.1", 0) as port,
        farm.process(command, log, ETHEREAL_PORT=str(port)) as process,
    ):
        client = ApiClient(f"http://127.0.0.1:{port}")
        until(lambda: answers(client), logs=[log])
        yield Web(client, process, log)


def answers(client: ApiClient) -> bool:
    try:
        client.call("GET", "/healthz")
    except EtherealError:
        return False
    return True


class Upload:
    """A file on its way to a signed link, of which a part has been sent."""

    def __init__(self, client: ApiClient, path: Path) -> None:
        self.data = path.read_bytes()
        asked = client.call("POST", "/api/storage/upload", {"filename": path.name, "size": len(self.data)})
        link = urlsplit(asked["uploadUrl"])
        self.connection = http.client.HTTPConnection(str(link.netloc), timeout=60)
        self.connection.putrequest("PUT", f"{link.path}?{link.query}")
        for name, value in {**asked["headers"], "Content-Length": str(len(self.data))}.items():
            self.connection.putheader(name, value)
        self.connection.endheaders(self.data[:1000])

    def send_the_rest(self) -> None:
        self.connection.send(self.data[1000:])

    def answer(self) -> tuple[int, dict[str, object], str | None]:
        with closing(self.connection):
            response = self.connection.getresponse()
            return response.status, json.loads(response.read()), response.headers["Retry-After"]


@contextmanager
def follow(client: ApiClient, job_id: str) -> Iterator[http.client.HTTPResponse]:
    with closing(http.client.HTTPConnection(str(urlsplit(client.base_url).netloc), timeout=60)) as connection:
        connection.request("GET", f"/api/jobs/{job_id}/events")
        stream = connection.getresponse()
        assert stream.readline().startswith(b"retry:")
        yield stream


def test_what_is_open_when_the_web_app_stops_ends_cleanly_and_in_time(
    farm: SmallFarm, web: Web, tmp_path: Path
) -> None:
    song = write_beats(tmp_path / "song.wav", 1.0)
    job = farm.submit("song.wav")
    with follow(web.client, job.id) as stream:
        quick, stalled = Upload(web.client, song), Upload(web.client, song)
        until(lambda: len(list(farm.services.scratch.glob(".upload.*"))) == 2)
        web.process.send_signal(signal.SIGTERM)
        told = stream.read()  # an end that is cut off raises IncompleteRead
    quick.send_the_rest()

    assert f'"jobId": "{job.id}"'.encode() in told
    status, stored, _ = quick.answer()
    assert (status, stored["size"]) == (201, len(quick.data))
    status, refused, again = stalled.answer()
    assert (status, again) == (503, "5")
    assert "restarted" in str(refused)
    assert web.process.wait(60) == 0
    assert list(farm.services.scratch.glob(".*")) == []
    assert not answers(web.client)
