"""How jobs stand: shown, listed, called off, forgotten, followed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote

import pytest

from ethereal.jobs.model import Job, JobError, JobStatus
from tests.builders import add_job
from tests.web_builders import Web, error_of, events_of, local, open_web
from web.face import FOLLOWERS

NO_JOB = "/api/jobs/123e4567-e89b-42d3-a456-426614174000"


@pytest.fixture
def web(tmp_path: Path) -> Web:
    return open_web(tmp_path)


def events_path(job: Job) -> str:
    return f"/api/jobs/{job.id}/events"


def test_a_pending_job_tells_its_place_in_the_queue(web: Web) -> None:
    add_job(web.services)
    second = add_job(web.services, title="Second", fps=24, template="aurora", output_format="draft-360p")

    shown = web.client.get(f"/api/jobs/{second.id}").get_json()

    assert shown == {
        "jobId": second.id,
        "type": "render",
        "status": "pending",
        "stage": None,
        "message": "1 render is ahead of you",
        "progress": 0.0,
        "attempt": 0,
        "queuePosition": 1,
        "title": "Second",
        "template": "aurora",
        "outputFormat": "draft-360p",
        "fps": 24,
        "quality": "standard",
        "container": "mp4",
        "background": "scene",
        "createdAt": "2026-01-01T12:00:00.000Z",
        "updatedAt": "2026-01-01T12:00:00.000Z",
    }


def test_a_job_has_the_same_answer_under_its_older_name(web: Web) -> None:
    job = add_job(web.services)

    assert (
        web.client.get(f"/api/jobs/{job.id}").get_json()
        == web.client.get(f"/api/audio/jobs/{job.id}").get_json()
    )


def test_frames_that_are_drawn_move_the_progress_and_give_an_estimate(web: Web) -> None:
    job = add_job(web.services)
    web.report(web.claim(job), "rendering", 32)
    web.services.live.start(job.id, 100)
    web.services.live.put(job.id, 0, 50)
    web.clock.turn(timedelta(seconds=20))

    shown = web.client.get(f"/api/jobs/{job.id}").get_json()

    assert shown["progress"] == pytest.approx(61)
    assert shown["eta"]["low"] < shown["eta"]["seconds"] < shown["eta"]["high"]
    assert shown["message"] == "Drawing the frames"
    assert shown["queuePosition"] is None


def test_a_complete_job_carries_its_result_and_a_link_under_a_pleasant_name(web: Web) -> None:
    job = web.add_complete(b"the video", title='Été / "live"')

    shown = web.client.get(f"/api/jobs/{job.id}").get_json()

    assert shown["result"]["videoKey"] == f"renders/{job.id}/output.mp4"
    assert shown["result"]["sizeBytes"] == len(b"the video")
    assert "error" not in shown
    fetched = web.client.get(local(shown["downloadUrl"]))
    assert fetched.data == b"the video"
    disposition = unquote(fetched.headers["Content-Disposition"])
    assert "filename*=UTF-8''Été  live – Ethereal.mp4" in disposition  # noqa: RUF001
    assert web.client.get(local(shown["posterUrl"])).data == b"a picture"


def test_a_job_without_a_title_is_called_after_its_audio(web: Web) -> None:
    job = web.add_complete(filename="Night Drive.final.flac")

    shown = web.client.get(f"/api/jobs/{job.id}").get_json()

    assert shown["title"] == "Night Drive.final"
    assert "Night+Drive.final" in shown["downloadUrl"]


def test_a_link_lives_for_a_week(web: Web) -> None:
    link = web.client.get(f"/api/jobs/{web.add_complete().id}").get_json()["downloadUrl"]

    web.clock.turn(timedelta(days=6, hours=23))
    assert web.client.get(local(link)).status_code == 200
    web.clock.turn(timedelta(hours=2))
    assert web.client.get(local(link)).status_code == 403


def test_a_failed_job_says_what_happened(web: Web) -> None:
    job = fail(web, JobError(code="SCENE_FAILED", message="The picture was lost.", retryable=True))

    shown = web.client.get(f"/api/jobs/{job.id}").get_json()

    assert shown["error"] == {"code": "SCENE_FAILED", "message": "The picture was lost.", "retryable": True}
    assert "result" not in shown
    assert "downloadUrl" not in shown


def test_jobs_are_listed_newest_first_and_continued_by_a_cursor(web: Web) -> None:
    ids = [add_job(web.services).id for _ in range(5)]

    first = web.client.get("/api/jobs?limit=2").get_json()
    rest = web.client.get(f"/api/jobs?cursor={first['cursor']}").get_json()

    assert [job["jobId"] for job in first["jobs"] + rest["jobs"]] == ids[::-1]
    assert rest["cursor"] is None


def test_jobs_are_filtered_by_status_and_type(web: Web) -> None:
    add_job(web.services)
    done = web.add_complete()

    found = web.client.get("/api/jobs?status=complete&type=render").get_json()["jobs"]

    assert [job["jobId"] for job in found] == [done.id]
    assert web.client.get("/api/jobs?type=ingest").get_json()["jobs"] == []


@pytest.mark.parametrize(
    "query", ["status=done", "limit=0", "limit=1000", "cursor=x", f"cursor={2**63}", "sort=up", "type=mix"]
)
def test_a_query_that_makes_no_sense_names_the_field(web: Web, query: str) -> None:
    response = web.client.get(f"/api/jobs?{query}")

    assert response.status_code == 400
    assert error_of(response)["details"].keys() == {query.partition("=")[0]}


def test_an_unknown_job_is_not_found_anywhere(web: Web) -> None:
    asked = [
        web.client.get(NO_JOB),
        web.client.get(f"{NO_JOB}/events"),
        web.client.post(f"{NO_JOB}/cancel"),
        web.client.delete(NO_JOB),
        web.client.get("/api/render/nope"),
        web.client.delete("/api/render/nope"),
    ]

    assert [(response.status_code, error_of(response)["code"]) for response in asked] == [
        (404, "NOT_FOUND")
    ] * len(asked)


@pytest.mark.parametrize("prefix", ["/api/jobs", "/api/audio/jobs"])
def test_a_cancelled_job_stays_cancelled_and_its_tasks_are_revoked(web: Web, prefix: str) -> None:
    job = add_job(web.services)

    response = web.client.post(f"{prefix}/{job.id}/cancel")

    assert response.get_json() == {"jobId": job.id, "status": "cancelled"}
    assert [job_id for job_id, _ in web.queue.revoked] == [job.id]
    assert web.client.post(f"{prefix}/{job.id}/cancel").status_code == 409


def test_a_job_that_has_ended_is_forgotten_with_its_video(web: Web) -> None:
    job = web.add_complete()

    assert web.client.delete(f"/api/jobs/{job.id}").get_json() == {"jobId": job.id, "action": "deleted"}
    assert web.stored() == []
    assert web.client.get(f"/api/jobs/{job.id}").status_code == 404


def test_a_job_that_goes_on_is_not_forgotten(web: Web) -> None:
    job = add_job(web.services)

    assert web.client.delete(f"/api/jobs/{job.id}").status_code == 409
    assert web.services.jobs.get(job.id).status is JobStatus.PENDING


def test_events_tell_stages_progress_and_the_end_and_then_stop(web: Web) -> None:
    job = add_job(web.services)
    with closing(web.client.get(events_path(job), buffered=False)) as response:
        heard = _kinds(response.response)  # type: ignore[arg-type]
        assert next(heard) == "stage"
        lease = web.claim(job)
        web.report(lease, "preparing", 3)
        assert next(heard) == "stage"
        web.report(lease, "preparing", 5)
        assert next(heard) == "progress"
        web.finish(lease)
        assert list(heard) == ["end"]


def test_the_last_event_carries_the_job_as_it_is_shown(web: Web) -> None:
    job = web.add_complete()

    response = web.client.get(events_path(job))
    [(kind, _, body)] = events_of(response)

    assert response.mimetype == "text/event-stream"
    assert kind == "end"
    assert body == web.client.get(f"/api/jobs/{job.id}").get_json()


def test_a_follower_that_comes_back_hears_nothing_twice(web: Web) -> None:
    job = add_job(web.services)
    lease = web.claim(job)
    web.report(lease, "preparing", 3)
    with closing(web.client.get(events_path(job), buffered=False)) as response:
        last_id = _first_id(response.response)  # type: ignore[arg-type]
    headers = {"Last-Event-ID": last_id}

    with closing(web.client.get(events_path(job), headers=headers, buffered=False)) as response:
        heard = _kinds(response.response)  # type: ignore[arg-type]
        web.report(lease, "preparing", 6)
        assert next(heard) == "progress"


def test_a_follower_that_comes_back_after_the_end_is_sent_away(web: Web) -> None:
    path = events_path(web.add_complete())
    [(_, last_id, _)] = events_of(web.client.get(path))

    assert web.client.get(path, headers={"Last-Event-ID": last_id}).status_code == 204
    assert len(events_of(web.client.get(path, headers={"Last-Event-ID": "0.pending/.0.0.0"}))) == 1


def test_followers_leave_threads_for_others(web: Web) -> None:
    job = add_job(web.services)
    following = [web.client.get(events_path(job), buffered=False) for _ in range(FOLLOWERS)]

    refused = web.client.get(events_path(job))
    assert refused.status_code == 503
    assert refused.headers["Retry-After"]

    for response in following:
        response.close()
    web.services.jobs.cancel(job.id, now=web.clock())
    assert web.client.get(events_path(job)).status_code == 200


def fail(web: Web, error: JobError) -> Job:
    lease = web.claim(add_job(web.services))
    return web.services.jobs.fail(lease, error, now=web.clock(), retry_at=None)


def _kinds(stream: Iterator[bytes]) -> Iterator[str]:
    for block in stream:
        for line in block.decode().splitlines():
            if line.startswith("event: "):
                yield line.removeprefix("event: ")


def _first_id(stream: Iterator[bytes]) -> str:
    for block in stream:
        for line in block.decode().splitlines():
            if line.startswith("id: "):
                return line.removeprefix("id: ")
    raise AssertionError("no event came")


def test_a_list_asks_for_places_and_frames_of_all_its_jobs_at_once(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        add_job(web.services)
        web.services.live.start(web.claim(add_job(web.services)).job_id, 100)
    asked: list[str] = []
    for port, names in (
        (web.services.jobs, ("queue_position", "queue_positions", "list", "get")),
        (web.services.live, ("frames_of",)),
    ):
        for name in names:
            told = getattr(port, name)
            monkeypatch.setattr(
                port, name, lambda *a, told=told, name=name, **k: asked.append(name) or told(*a, **k)
            )

    web.client.get("/api/jobs")
    of_the_list, asked[:] = list(asked), []
    web.client.get("/jobs")

    assert of_the_list == ["list", "queue_positions", "frames_of"]
    assert asked == of_the_list
