"""The web app for tests: real objects on disk, jobs in memory, a queue that writes down what it was told."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from ethereal.jobs.model import Job, JobId, Lease, StepKey, StepName
from ethereal.jobs.request import RenderResult
from ethereal.pace import MemoryPace
from ethereal.services import Limits, Services
from ethereal.settings import Settings
from ethereal.storage import keys
from ethereal.storage.local import LocalObjectStore
from tests.builders import HandClock, MemoryQueue, add_job, make_services
from tests.sounds import write_beats
from web import create_app

BASE_URL = "http://127.0.0.1:1"
PREPARE = StepKey(StepName.PREPARE_AUDIO)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Web:
    """An app, a client of it, and what lies behind it."""

    app: Flask
    services: Services
    clock: HandClock

    @property
    def client(self) -> FlaskClient:
        return self.app.test_client()

    @property
    def queue(self) -> MemoryQueue:
        return cast(MemoryQueue, self.services.queue)

    @property
    def objects(self) -> LocalObjectStore:
        return cast(LocalObjectStore, self.services.objects)

    def stored(self, prefix: str = "") -> list[str]:
        """The keys of all objects that begin so."""
        return [facts.key for facts in self.services.objects.list(keys.StorageKey(prefix))]

    def jobs(self) -> list[Job]:
        return list(self.services.jobs.list(limit=100).jobs)

    def claim(self, job: Job) -> Lease:
        now = self.services.clock()
        claim = self.services.jobs.claim(job.id, PREPARE, owner="test", now=now, lease=DAY, time_limit=DAY)
        return claim.lease

    def report(self, lease: Lease, stage: str, progress: float) -> None:
        now = self.services.clock()
        self.services.jobs.report(lease, stage=stage, progress=progress, now=now, lease=DAY)

    def finish(self, lease: Lease, video: bytes = b"a video", **changes: object) -> Job:
        """End the job well, with a video and a poster in the object store."""
        video_key, poster_key = keys.render_output(lease.job_id, "mp4"), keys.render_poster(lease.job_id)
        self.objects.put_stream(video_key, BytesIO(video))
        self.objects.put_stream(poster_key, BytesIO(b"a picture"))
        result = make_result(lease.job_id, size_bytes=len(video), **changes)
        return self.services.jobs.finish(lease, result=result.model_dump(), now=self.services.clock())

    def add_complete(self, video: bytes = b"a video", **request: object) -> Job:
        return self.finish(self.claim(add_job(self.services, **request)), video)


def open_web(folder: Path, *, limits: Limits | None = None, **settings: object) -> Web:
    clock = HandClock()
    services = make_services(folder, clock=clock, limits=limits)
    chosen = Settings(_env_file=None, data_dir=folder, port=1, **settings)  # type: ignore[arg-type]
    pace = MemoryPace(lambda: clock.now.timestamp())
    app = create_app(services, chosen, secret=b"for tests only", look_seconds=0.01, pace=pace)
    app.test_client_class = _LoopbackClient
    return Web(app, services, clock)


class _LoopbackClient(FlaskClient):
    """Asks as a browser on this machine would name it."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        kwargs.setdefault("base_url", BASE_URL)
        kwargs.setdefault("buffered", True)  # read to the end and closed, unless a test follows a stream
        return super().open(*args, **kwargs)


def make_result(job_id: JobId, **changes: object) -> RenderResult:
    fields: dict[str, object] = {
        "video_key": keys.render_output(job_id, "mp4"),
        "poster_key": keys.render_poster(job_id),
        "sha256": "ab" * 32,
        "size_bytes": 7,
        "duration_seconds": 1.5,
        "frames": 45,
        "fps": "30/1",
        "width": 640,
        "height": 360,
        "format": "draft-360p",
        "plan_hash": "cd" * 32,
        "fingerprint": "ef" * 32,
        "render_seconds": 3.0,
        "chunks": 2,
    }
    return RenderResult.model_validate(fields | changes)


def song_bytes(folder: Path, seconds: float = 0.5) -> bytes:
    return write_beats(folder / "song.wav", seconds, rate=8000).read_bytes()


def local(link: str) -> str:
    """A signed link without its host, for the test client."""
    return link.removeprefix(BASE_URL)


def query_of(link: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(link).query))


def error_of(response: TestResponse) -> dict[str, Any]:
    return cast(dict[str, Any], response.get_json()["error"])


@dataclass
class CountedBody:
    """A request body that is made as it is read, and knows how much was read."""

    blocks: Iterator[bytes]
    taken: int = 0
    _rest: bytes = b""

    def read(self, size: int = -1) -> bytes:
        while size < 0 or len(self._rest) < size:
            block = next(self.blocks, b"")
            if not block:
                break
            self._rest += block
        cut = len(self._rest) if size < 0 else size
        given, self._rest = self._rest[:cut], self._rest[cut:]
        self.taken += len(given)
        return given


BOUNDARY = "ethereal-test"


def form_blocks(
    fields: Mapping[str, str], file: Iterable[bytes], *, after: Mapping[str, str] | None = None
) -> Iterator[bytes]:
    """A multipart body: fields, a file, and the fields that come after it."""
    for name, value in fields.items():
        yield _field(name, value)
    yield (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="song.wav"\r\n'
        "Content-Type: audio/wav\r\n\r\n"
    ).encode()
    yield from file
    yield b"\r\n"
    for name, value in (after or {}).items():
        yield _field(name, value)
    yield f"--{BOUNDARY}--\r\n".encode()


def _field(name: str, value: str) -> bytes:
    return f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()


def post_streamed(
    client: FlaskClient, path: str, body: CountedBody, *, length: int | None = None
) -> TestResponse:
    """POST a form as a server hands on a chunked request, or one whose client told its `length`."""
    environ: dict[str, object] = {
        "CONTENT_TYPE": f"multipart/form-data; boundary={BOUNDARY}",
        "CONTENT_LENGTH": "" if length is None else str(length),
        "wsgi.input": body,
    }
    if length is None:
        environ["wsgi.input_terminated"] = True
    return client.post(path, environ_overrides=environ)


def events_of(response: TestResponse) -> list[tuple[str, str, dict[str, Any]]]:
    """The kind, id and data of each server-sent event."""
    found = []
    for block in response.get_data(as_text=True).split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line and line[0] != ":")
        if "event" in lines:
            found.append((lines["event"], lines["id"], json.loads(lines["data"])))
    return found
