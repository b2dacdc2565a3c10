"""The stack under load: one that runs already, or one that is started with data of its own."""

from __future__ import annotations

import os
import threading
import wave
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from celery import Celery

from ethereal.bench.roles import Role, roles_below
from ethereal.client import ApiClient
from ethereal.embedded import RunningStack, StackOptions, open_stack
from ethereal.errors import UnavailableError
from ethereal.live.redis import RedisLiveProgress

_SECONDS, _RATE = 30, 8000  # of the sound
_CLIP = 0.15
_RENDER = {"outputFormat": "draft-360p", "quality": "draft", "range": {"start": 0, "end": _CLIP}}
_FRAMES = 100_000  # of a render that is only told of


@dataclass(frozen=True)
class Target:
    """The server; `stack` is there when it was started for this."""

    client: ApiClient
    asset_id: str
    stack: RunningStack | None
    numbers: Iterator[int]  #: of clips, so that no two previews are the same

    def preview(self) -> dict[str, Any]:
        start = round(next(self.numbers) * 0.001 % (_SECONDS - 1), 3)
        clip = {
            "id": "a",
            "sourceAssetId": self.asset_id,
            "startTime": start,
            "endTime": round(start + _CLIP, 3),
        }
        return {"version": 1, "assetId": self.asset_id, "clips": [clip]}

    def render(self) -> dict[str, Any]:
        return {"audio": {"type": "asset", "assetId": self.asset_id}, **_RENDER}

    def memory(self) -> dict[str, Role]:
        return roles_below(os.getpid()) if self.stack else {}


@contextmanager
def target_of(url: str | None, token: str | None) -> Iterator[Target]:
    """The server at `url`, or a stack on this machine with data of its own."""
    with ExitStack() as opened:
        stack = None
        if url is None:
            folder = Path(opened.enter_context(TemporaryDirectory(prefix="ethereal-load-")))
            options = StackOptions(data_dir=folder, port=0, flower_port=0, environment={**os.environ})
            stack = opened.enter_context(open_stack(options))
            url = stack.web_url
        client = ApiClient(url, token)
        yield Target(client, take_sound_in(client), stack, count())


def take_sound_in(client: ApiClient) -> str:
    """An asset of half a minute."""
    with TemporaryDirectory() as folder:
        key = client.upload(write_sound(Path(folder) / "load.wav"))
    job = finished(client, client.ingest(type="audio_file", storageKey=key, filename="load.wav")["jobId"])
    return str(job["result"]["assetId"])


def write_sound(path: Path) -> Path:
    """Half a minute of a tone, small, so that fetching it costs nothing."""
    wave_ = 8000 * np.sin(2 * np.pi * 220 / _RATE * np.arange(_SECONDS * _RATE))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(_RATE)
        file.writeframes(wave_.astype("<i2").tobytes())
    return path


def finished(client: ApiClient, job_id: str) -> dict[str, Any]:
    *_, job = client.follow(job_id, every=0.05)
    if job["status"] != "complete":
        raise UnavailableError(f"job {job_id} is {job['status']}: {job.get('error')}")
    return job


@contextmanager
def nobody_draws(stack: RunningStack) -> Iterator[None]:
    """Renders wait for their plan until the end of the block: drawing would take both cores."""
    control = Celery(broker=stack.broker_url).control
    control.cancel_consumer("render", reply=True)
    try:
        yield
    finally:
        control.add_consumer("render", exchange="ethereal", routing_key="render", reply=True)


@contextmanager
def progress_told(broker_url: str, jobs: list[str]) -> Iterator[None]:
    """Tell of new frames of each job, once a second, as renderers do."""
    live, ended = RedisLiveProgress(broker_url), threading.Event()

    def tell() -> None:
        for frames in count(start=500, step=200):
            for job_id in jobs:
                live.put(job_id, 0, frames)
            if ended.wait(1.0):
                return

    for job_id in jobs:
        live.start(job_id, _FRAMES)
    thread = threading.Thread(target=tell, name="told", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
