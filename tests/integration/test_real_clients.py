"""A running stack and those who use it: turns between clients, and the farm as people see it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from ethereal.client import ApiClient
from ethereal.embedded import RunningStack
from tests.fuzz import fuzz


class Gate:
    """A server of sounds that keeps everybody waiting until it is opened, and remembers who came."""

    def __init__(self, sound: bytes) -> None:
        self.sound = sound
        self.opened = threading.Event()
        self.came: list[str] = []
        self.url = ""


@contextmanager
def open_gate(sound: bytes) -> Iterator[Gate]:
    gate = Gate(sound)

    class Sounds(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            gate.came.append(self.path.strip("/"))
            gate.opened.wait(60)
            self.send_response(200)
            self.send_header("Content-Type", "audio/wav")
            self.send_header("Content-Length", str(len(gate.sound)))
            self.end_headers()
            self.wfile.write(gate.sound)

        def log_message(self, *told: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Sounds) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        gate.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield gate
        finally:
            gate.opened.set()
            server.shutdown()
            thread.join()


def ingest(stack: RunningStack, url: str, client: str) -> str:
    body = json.dumps({"type": "url", "url": url}).encode()
    headers = {"Content-Type": "application/json", "X-Client-Id": client}
    with urlopen(Request(f"{stack.web_url}/api/audio/ingest", body, headers), timeout=30) as answer:
        return str(json.load(answer)["jobId"])


def get(url: str) -> tuple[int, str, str]:
    """The status, the policy and the text of an answer."""
    try:
        with urlopen(url, timeout=30) as answer:
            return answer.status, answer.headers["Content-Security-Policy"] or "", answer.read().decode()
    except HTTPError as error:
        with error:
            return error.code, "", error.read().decode()


def test_a_batch_does_not_hold_up_what_somebody_else_sends_after_it(
    stack: RunningStack, client: ApiClient, song: Path
) -> None:
    with open_gate(song.read_bytes()) as gate:
        batch = [ingest(stack, f"{gate.url}/ann-{number}", "ann") for number in range(7)]
        short = [ingest(stack, f"{gate.url}/bob-{number}", "bob") for number in range(2)]
        assert client.job(short[0])["queuePosition"] <= 1
        gate.opened.set()
        for job_id in (*batch, *short):
            assert list(client.follow(job_id))[-1]["status"] == "complete"

    assert len(set(gate.came)) == 9
    begun = list(dict.fromkeys(gate.came))
    # Two of the batch run when the short ones come; a slot that takes its next just then may be one late.
    assert begun.index("bob-0") <= 3
    assert begun.index("bob-1") <= 5


def test_people_see_flower_through_the_web_app_and_nobody_else_does(
    stack: RunningStack, client: ApiClient
) -> None:
    status, policy, page = get(stack.farm_url)
    assert status == 200
    assert "/farm/static/" in page
    assert "unsafe" not in policy
    assert get(f"{stack.flower_url}/farm/")[0] == 401
    assert get(f"{stack.flower_url}/farm/api/tasks")[0] == 401
    assert get(f"{stack.farm_url}broker")[0] == 200
    assert "ingest_audio" in get(f"{stack.farm_url}api/tasks")[2]

    names = json.loads(get(f"{stack.farm_url}api/workers?refresh=1")[2])
    assert {name.partition("@")[0] for name in names} >= {"cpu", "control"}
    with pytest.raises(HTTPError, match="403"):  # it shows, and changes nothing
        urlopen(Request(f"{stack.farm_url}api/worker/shutdown/{next(iter(names))}", b""), timeout=30)
    evil = Request(f"{stack.farm_url}tasks/datatable", b"draw=1", {"Origin": "https://evil.example"})
    with pytest.raises(HTTPError, match="403"):
        urlopen(evil, timeout=30)


def test_nothing_that_is_sent_makes_the_api_fail_or_answer_as_it_does_not_say(
    stack: RunningStack, client: ApiClient, tmp_path: Path
) -> None:
    job = client.jobs(status="complete")[0]
    known = {"job_id": job["jobId"], "asset_id": job["result"]["assetId"]}

    done = fuzz(
        stack.web_url, tmp_path, seed=1, examples=4, seconds=24, phases="coverage,fuzzing", known=known
    )

    assert done.returncode == 0, f"{done.stdout[-8000:]}\n{done.stderr[-2000:]}"
