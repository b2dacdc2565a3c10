"""Edits over the web: checked at once, heard, kept, and in the way of deleting what they use."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from ethereal.jobs.model import JobId
from ethereal.pipeline.edit import preview, save
from ethereal.pipeline.ingest import ingest
from tests.web_builders import Web, error_of, local, open_web, song_bytes

PREVIEW, SAVE, ASSETS = "/api/audio/edit/preview", "/api/audio/edit/save", "/api/audio/assets"


@pytest.fixture
def web(tmp_path: Path) -> Web:
    return open_web(tmp_path)


def asset_in(web: Web, folder: Path, seconds: float = 1.0) -> str:
    song = song_bytes(folder, seconds)
    answer = web.client.post("/api/audio/ingest", data={"file": (BytesIO(song), "song.wav")})
    ingest(web.services, JobId(answer.get_json()["jobId"]))
    job = web.client.get(answer.headers["Location"]).get_json()
    return str(job["result"]["assetId"])


def recipe(asset: str, start: float = 0.25, end: float = 0.75, **changes: object) -> dict[str, Any]:
    clip = {"id": "verse", "sourceAssetId": asset, "startTime": start, "endTime": end}
    return {"version": 1, "assetId": asset, "clips": [clip], **changes}


def test_a_preview_is_heard_and_then_there_at_once(web: Web, tmp_path: Path) -> None:
    asked = recipe(asset_in(web, tmp_path))
    answer = web.client.post(PREVIEW, json=asked)
    assert (answer.status_code, answer.get_json()["cached"]) == (202, False)
    preview(web.services, JobId(answer.get_json()["jobId"]))

    job = web.client.get(answer.headers["Location"]).get_json()
    assert (job["type"], job["status"], job["result"]["durationSeconds"]) == ("preview", "complete", 0.5)
    heard = web.client.get(local(job["downloadUrl"]))
    assert (heard.status_code, heard.mimetype) == (200, "audio/mpeg")
    again = web.client.post(PREVIEW, json=asked).get_json()
    assert (again["status"], again["cached"]) == ("complete", True)


def test_what_was_kept_is_streamed_and_told(web: Web, tmp_path: Path) -> None:
    asset = asset_in(web, tmp_path)
    answer = web.client.post(SAVE, json=recipe(asset, normalize=True, outputFormat="aac"))
    save(web.services, JobId(answer.get_json()["jobId"]))

    job = web.client.get(answer.headers["Location"]).get_json()
    assert job["result"]["preparedKey"] == f"assets/{asset}/prepared.m4a"
    shown = web.client.get(f"{ASSETS}/{asset}").get_json()
    assert [clip["id"] for clip in shown["edits"]["clips"]] == ["verse"]
    assert shown["prepared"]["loudness"]["lufs"] == pytest.approx(-14, abs=0.5)
    led = web.client.get(f"{ASSETS}/{asset}/stream?variant=prepared")
    assert web.client.get(local(led.headers["Location"])).mimetype == "audio/mp4"


def test_a_broken_recipe_names_the_clip_and_becomes_no_job(web: Web, tmp_path: Path) -> None:
    asset = asset_in(web, tmp_path)
    for path in (PREVIEW, SAVE):
        for body in (recipe(asset, 0.5, 2.0), recipe(asset, 0.5, 0.5), recipe(asset, start="0")):  # type: ignore[arg-type]
            answer = web.client.post(path, json=body)
            assert (answer.status_code, set(error_of(answer)["details"])) == (400, {"verse"})
        assert web.client.post(path, json=recipe(asset, outputSampleRate=22050)).status_code == 400
        assert web.client.post(path, data="[" * 60_000, content_type="application/json").status_code == 400
        stranger = "123e4567-e89b-42d3-a456-426614174000"
        assert web.client.post(path, json=recipe(stranger)).status_code == 404
    assert [job.type for job in web.jobs()] == ["ingest"]


def test_a_source_of_another_recipe_is_deleted_only_by_force(web: Web, tmp_path: Path) -> None:
    voice, mix = asset_in(web, tmp_path), asset_in(web, tmp_path, 0.5)
    body = {**recipe(voice), "assetId": mix}
    save(web.services, JobId(web.client.post(SAVE, json=body).get_json()["jobId"]))

    assert error_of(web.client.delete(f"{ASSETS}/{voice}"))["code"] == "CONFLICT"
    assert web.client.delete(f"{ASSETS}/{voice}?force=true").status_code == 200
    assert web.client.get(f"{ASSETS}/{mix}/stream?variant=prepared").status_code == 302
