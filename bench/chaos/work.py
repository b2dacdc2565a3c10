"""The jobs of a chaos run: asked for over HTTP until they are accepted, each under its own key."""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
import wave
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from uuid import UUID

from tests.fault.audit import statuses
from tests.fault.farm import Farm

_PATIENCE_SECONDS = 10.0
_AGAIN_SECONDS = 0.2
_RATE = 8000
#: Kinds of jobs by how often they are asked for: an edit heard, a sound taken in, a render of three frames.
KINDS = {"preview": 7, "ingest": 2, "render": 2}
_FINAL = frozenset({"complete", "failed", "cancelled"})


@dataclass(frozen=True)
class Accepted:
    """A job the farm promised to do, after so many `tries` and so many `seconds`."""

    job_id: str
    kind: str
    at: float
    seconds: float
    tries: int


@dataclass
class Submitter:
    """Asks for `count` jobs, at most `most` of which wait or run at once."""

    farm: Farm
    count: int
    seed: int
    most: int = 16
    accepted: list[Accepted] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)
    _assets: list[str] = field(default_factory=list)

    def prepare(self) -> None:
        """Take in one sound, in peace, for the edits and renders."""
        job_id = self._ask("ingest", 0)[0]
        *_, job = self.farm.client.follow(job_id, every=0.1)
        self._assets.append(job["result"]["assetId"])

    def run(self) -> None:
        dice = random.Random(self.seed)
        kinds = dice.choices(list(KINDS), list(KINDS.values()), k=self.count)
        for number, kind in enumerate(kinds, start=1):
            while not self.stop.is_set() and len(self.accepted) % 5 == 0 and self.live() >= self.most:
                time.sleep(0.1)
            if self.stop.is_set():
                return
            self.ask_one(kind, number)

    def ask_one(self, kind: str, number: int) -> Accepted:
        """Ask for one job until it is accepted; nobody's id when a stop came before."""
        begun = time.time()
        job_id, tries = self._ask(kind, number)
        told = Accepted(job_id, kind, begun, time.time() - begun, tries)
        if job_id:
            self.accepted.append(told)
        return told

    def live(self) -> int:
        return sum(status not in _FINAL for status in statuses(self.farm.database).values())

    def _ask(self, kind: str, number: int) -> tuple[str, int]:
        """Ask until the farm says 202; a stop ends it unanswered."""
        path, body, content_type = _request(kind, number, self._assets)
        headers = {"Idempotency-Key": f"chaos-{kind}-{number}", "Content-Type": content_type}
        tries = 0
        while not self.stop.is_set():
            tries += 1
            try:
                status, said = _post(self.farm.web_port, path, body, headers)
            except (OSError, http.client.HTTPException, ValueError):
                status, said = 0, {}
            if status == http.client.ACCEPTED:
                return str(said["jobId"]), tries
            if 400 <= status < 500 and status != http.client.TOO_MANY_REQUESTS:
                raise RuntimeError(f"{kind} {number} was refused: {status} {said}")
            time.sleep(_AGAIN_SECONDS)
        return "", tries


def _post(port: int, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, dict[str, object]]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE_SECONDS)
    try:
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def _request(kind: str, number: int, assets: list[str]) -> tuple[str, bytes, str]:
    make: Callable[[int, list[str]], tuple[str, bytes, str]] = {
        "ingest": _ingest,
        "preview": _preview,
        "render": _render,
    }[kind]
    return make(number, assets)


def _ingest(number: int, assets: list[str]) -> tuple[str, bytes, str]:
    boundary = UUID(int=number).hex
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="type"\r\n\r\naudio_file\r\n'
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="t{number}.wav"\r\n'
        "Content-Type: audio/wav\r\n\r\n"
    )
    body = head.encode() + sound(number) + f"\r\n--{boundary}--\r\n".encode()
    return "/api/audio/ingest", body, f"multipart/form-data; boundary={boundary}"


def _preview(number: int, assets: list[str]) -> tuple[str, bytes, str]:
    clip = {
        "id": f"t{number}",
        "sourceAssetId": assets[0],
        "startTime": 0,
        "endTime": 0.2 + number % 5000 / 10000,
    }
    recipe = {"version": 1, "assetId": assets[0], "clips": [clip]}
    return "/api/audio/edit/preview", json.dumps(recipe).encode(), "application/json"


def _render(number: int, assets: list[str]) -> tuple[str, bytes, str]:
    wanted = {
        "audio": {"type": "asset", "assetId": assets[0]},
        "outputFormat": "draft-360p",
        "fps": 24,
        "quality": "draft",
        "chunks": 1 + number % 2,
        "seed": number,
        # One in 16 has two chunks: a GOP is two seconds long.
        "range": {"start": 0, "end": 2.2 if number % 16 == 1 else 0.2},
    }
    return "/api/render", json.dumps(wanted).encode(), "application/json"


def sound(number: int) -> bytes:
    """Half a second of noise that no other number has; the sound of number 0 is longer."""
    frames = _RATE * 3 if number == 0 else _RATE // 2
    file = BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(_RATE)
        out.writeframes(random.Random(number).randbytes(frames * 2))
    return file.getvalue()
