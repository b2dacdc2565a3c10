"""Work for a farm under faults, and what must hold of it however it went."""

from __future__ import annotations

import http.client
import json
import random
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from ethereal.errors import EtherealError
from tests.fault.audit import doubled, read_events, statuses
from tests.fault.farm import Farm
from tests.fault.moments import untold
from tests.sounds import write_beats
from tests.waiting import until

SMALL = {"outputFormat": "draft-360p", "fps": 24, "quality": "draft", "chunks": 1}
_PATIENCE = 240.0  # against a hang; on a quiet machine no wait is a tenth of it
_FINAL = ("complete", "failed", "cancelled")


@dataclass
class Jobs:
    """The jobs of one test, made of the sound `song` where they need one."""

    farm: Farm
    song: str = ""
    asked: list[str] = field(default_factory=list)

    def take_in(self, folder: Path) -> str:
        """Have a sound taken in and return its asset."""
        key = self.farm.client.upload(write_beats(folder / "song.wav", 0.6, rate=8000))
        job = self.farm.client.ingest(type="audio_file", storageKey=key, filename="song.wav")
        *_, ended = self.farm.client.follow(job["jobId"], every=0.1)
        return str(ended["result"]["assetId"])

    def preview(self, tag: str = "t") -> str:
        """An edit that nobody has heard, whose clip is named `tag`."""
        end = 0.1 + random.random() / 4
        clip = {"id": tag, "sourceAssetId": self.song, "startTime": 0, "endTime": end}
        recipe = {"version": 1, "assetId": self.song, "clips": [clip]}
        return self.ask("/api/audio/edit/preview", recipe)

    def render(self, seed: int, tag: str = "") -> str:
        """A short video, of the same pictures for the same seed."""
        clip = {"id": tag or "t", "sourceAssetId": self.song, "startTime": 0, "endTime": 0.25}
        recipe = {"version": 1, "assetId": self.song, "clips": [clip]}
        audio = {"type": "asset", "assetId": self.song}
        return self.ask("/api/render", {"audio": audio, "recipe": recipe, "seed": seed, **SMALL})

    def ask(self, path: str, body: object) -> str:
        """Ask with one key until the farm answers 202; return the job."""
        key = str(uuid4())
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            status, said = self.post(path, body, key)
            if status == http.client.ACCEPTED:
                self.asked.append(said["jobId"])
                return str(said["jobId"])
            assert status == 0 or status >= 500, said
            time.sleep(0.1)
        raise TimeoutError(f"{path} is never accepted")

    def post(self, path: str, body: object, key: str) -> tuple[int, dict[str, Any]]:
        """One request; its status, 0 where no answer came."""
        connection = http.client.HTTPConnection("127.0.0.1", self.farm.web_port, timeout=20)
        headers = {"Content-Type": "application/json", "Idempotency-Key": key}
        try:
            connection.request("POST", path, json.dumps(body), headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        except (OSError, http.client.HTTPException, ValueError):
            return 0, {}
        finally:
            connection.close()

    def wait(self, job_id: str, *others: str) -> dict[str, Any]:
        """The first of these jobs once all have ended."""
        until(lambda: all(self.status(each) in _FINAL for each in (job_id, *others)), _PATIENCE)
        until(lambda: self._shown(job_id), _PATIENCE)
        return self.farm.client.job(job_id)

    def status(self, job_id: str) -> str:
        return statuses(self.farm.database)[job_id]

    def settle(self) -> None:
        """Every job ended, none of its steps twice, no fate is open."""
        until(lambda: all(self.status(job_id) in _FINAL for job_id in self.asked), _PATIENCE)
        assert doubled(read_events(self.farm.database)) == []
        assert untold(self.farm.folder) == []

    def _shown(self, job_id: str) -> bool:
        try:
            return bool(self.farm.client.job(job_id))
        except EtherealError:  # the web app is being started again
            return False
