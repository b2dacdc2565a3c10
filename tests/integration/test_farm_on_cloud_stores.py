"""The whole farm with objects in a bucket and jobs on a database server, moved there by settings alone."""

from __future__ import annotations

import hashlib
import json
import os
import re
from base64 import b64decode
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import HTTPCookieProcessor, OpenerDirector, Request, build_opener

import psutil
import pytest
from redis import Redis

from ethereal.bootstrap import flower_password
from ethereal.client import ApiClient, ApiError
from ethereal.embedded import RunningStack, StackOptions, open_stack
from ethereal.embedded.broker import open_broker
from tests.sounds import write_beats
from tests.standins.hrana import HranaStandIn, open_hrana
from tests.standins.r2 import KEY_ID, SECRET, R2StandIn, open_r2

#: What must be found nowhere: each stands out.
SECRETS = {
    "api token": "5ecretToken-of-the-API-0001",
    "webhook secret": "5ecretOfTheWebhook-0002-xxxxxxxxxxxxxxxx",
    "signing secret": "5ecretOfTheLinks-0003-xxxxxxxxxxxxxxxxxx",
    "database token": "5ecretTokenOfTheDatabase-0004",
    "broker password": "5ecretPasswordOfTheBroker-0005",
    "modal token id": "5ecretModalTokenId-0006",
    "modal token secret": "5ecretModalTokenSecret-0007",
    "r2 secret": SECRET,
    "flower password": flower_password(b"5ecretOfTheLinks-0003-xxxxxxxxxxxxxxxxxx"),
}


@dataclass(frozen=True)
class Farm:
    client: ApiClient
    r2: R2StandIn
    database: HranaStandIn
    stack: RunningStack
    folder: Path


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    folder = tmp_path_factory.mktemp("farm")
    with (
        open_r2() as r2,
        open_hrana(folder / "jobs.db", token=SECRETS["database token"]) as database,
        open_broker(folder) as open_url,
    ):
        Redis.from_url(open_url).config_set("requirepass", SECRETS["broker password"])
        variables = {
            "ETHEREAL_STORAGE": "r2",
            "ETHEREAL_R2_ENDPOINT": r2.endpoint,
            "ETHEREAL_R2_BUCKET": r2.bucket_name,
            "ETHEREAL_R2_ACCESS_KEY_ID": KEY_ID,
            "ETHEREAL_R2_SECRET_ACCESS_KEY": SECRET,
            "ETHEREAL_DATABASE_URL": database.url,
            "ETHEREAL_DATABASE_AUTH_TOKEN": SECRETS["database token"],
            "ETHEREAL_API_TOKEN": SECRETS["api token"],
            "ETHEREAL_WEBHOOK_SECRET": SECRETS["webhook secret"],
            "ETHEREAL_SIGNING_SECRET": SECRETS["signing secret"],
            "ETHEREAL_MODAL_TOKEN_ID": SECRETS["modal token id"],
            "ETHEREAL_MODAL_TOKEN_SECRET": SECRETS["modal token secret"],
            "ETHEREAL_LEASE_SECONDS": "8",
            "ETHEREAL_RETRY_SECONDS": "1",
            "ETHEREAL_REAPER_SECONDS": "1",
        }
        options = StackOptions(
            data_dir=folder / "data",
            port=0,
            flower_port=0,
            broker_url=open_url.replace("redis://", f"redis://:{SECRETS['broker password']}@"),
            environment={**os.environ, **variables},
        )
        with open_stack(options) as running:
            yield Farm(ApiClient(running.web_url, SECRETS["api token"]), r2, database, running, folder)


def upload(farm: Farm, folder: Path) -> str:
    return farm.client.upload(write_beats(folder / "song.wav", 2.0))


def render(farm: Farm, key: str, folder: Path) -> None:
    """One small render, and its video straight from the bucket."""
    wanted = {"outputFormat": "draft-360p", "fps": 24, "quality": "draft", "chunks": 2}
    *_, job = farm.client.follow(farm.client.render(key, "song.wav", **wanted)["jobId"])
    assert job["status"] == "complete", job
    assert urlsplit(job["downloadUrl"]).netloc == urlsplit(farm.r2.endpoint).netloc
    video = farm.client.download(job["downloadUrl"], folder / "video.mp4").read_bytes()
    assert hashlib.sha256(video).hexdigest() == job["result"]["sha256"]
    assert (job["result"]["frames"], len(video)) == (48, job["result"]["sizeBytes"])


def test_a_render_goes_from_upload_to_download_through_them(farm: Farm, tmp_path: Path) -> None:
    render(farm, upload(farm, tmp_path), tmp_path)

    assert farm.r2.unfinished() == []
    assert set(farm.database.asked) == {"/v2/pipeline"}


def test_a_render_outlasts_their_short_faults(farm: Farm, tmp_path: Path) -> None:
    key = upload(farm, tmp_path)
    farm.r2.fail("unavailable", times=3, method="PUT")
    farm.r2.fail("lost", times=1, method="PUT")
    for _ in range(8):
        farm.database.fail("lost", after=7)

    render(farm, key, tmp_path)


def signed_in(farm: Farm) -> OpenerDirector:
    """A browser of somebody who signed in."""
    browser = build_opener(HTTPCookieProcessor(CookieJar()))
    page = read(browser, f"{farm.stack.web_url}/login")
    [token] = re.findall(r'name="csrfToken" value="([^"]+)"', page)
    form = urlencode({"csrfToken": token, "token": SECRETS["api token"]}).encode()
    browser.open(f"{farm.stack.web_url}/login", form).close()
    return browser


def read(browser: OpenerDirector, url: str) -> str:
    try:
        with browser.open(url, timeout=30) as answer:
            return str(answer.read().decode(errors="replace"))
    except HTTPError as error:
        with error:
            return error.read().decode(errors="replace")


def told_by_people_s_pages(farm: Farm) -> Iterator[tuple[str, str]]:
    """All that Flower and the app's own pages show of jobs, workers and settings."""
    browser, web = signed_in(farm), farm.stack.web_url
    workers = json.loads(read(browser, f"{web}/farm/api/workers?refresh=1"))
    tasks = json.loads(read(browser, f"{web}/farm/api/tasks?limit=5000"))
    assert {"prepare_audio", "render_chunk"} <= {task["name"] for task in tasks.values()}
    assert "broker_url" in json.dumps(workers)  # the settings of each worker
    job = farm.client.jobs()[0]["jobId"]
    paths = [
        "/",
        "/jobs",
        f"/jobs/{job}",
        f"/api/jobs/{job}",
        f"/api/jobs/{job}/chunks",
        "/api/jobs",
        "/metrics",
    ]
    paths += ["/readyz", "/nothing", "/api/openapi.json", "/sounds", "/farm/", "/farm/tasks", "/farm/broker"]
    paths += ["/farm/metrics", "/farm/api/tasks?limit=5000", "/farm/api/workers?refresh=1"]
    paths += [f"/farm/worker/{quote(name)}" for name in workers]
    paths += [f"/farm/task/{quote(name)}" for name in list(tasks)[:20]]
    for path in paths:
        yield path, read(browser, web + path)


def told_by_the_broker(farm: Farm) -> Iterator[tuple[str, str]]:
    redis = Redis.from_url(farm.stack.broker_url)
    for key in redis.keys("*"):
        yield f"broker: {key!r}", repr(redis.dump(key))


def told_by_files(farm: Farm) -> Iterator[tuple[str, str]]:
    """Logs, schedules, the database, what the broker wrote: every message ever sent is in there."""
    paths = [Path(folder, name) for folder, _, names in os.walk(farm.folder) for name in names]
    for path in sorted(paths):
        with suppress(FileNotFoundError):  # others come and go there
            text = path.read_bytes().decode("latin-1")
            yield str(path.relative_to(farm.folder)), text
            for message in re.findall(r'"body": "([A-Za-z0-9+/=]+)"', text):
                yield "arguments of a task", b64decode(message).decode()


def told_by_processes(farm: Farm) -> Iterator[tuple[str, str]]:
    """What everybody on the machine may read of a process: its arguments."""
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            yield f"process {process.pid}", " ".join(process.cmdline())


def test_no_secret_is_told_to_anybody(farm: Farm, tmp_path: Path) -> None:
    for wrong in ("wrong", SECRETS["webhook secret"]):
        with pytest.raises(ApiError):
            ApiClient(farm.stack.web_url, wrong).jobs()
    report = Request(f"{farm.stack.web_url}/api/webhooks/worker", b"{}", {"Authorization": "Bearer x"})
    read(build_opener(), report.full_url)
    damaged = tmp_path / "song.wav"
    damaged.write_bytes(b"RIFF and nothing else")
    with pytest.raises(ApiError):
        farm.client.render(farm.client.upload(damaged), "song.wav")
    farm.database.fail("unavailable", after=1)

    everything = (
        *told_by_people_s_pages(farm),
        *told_by_the_broker(farm),
        *told_by_files(farm),
        *told_by_processes(farm),
    )

    found = {
        (place, name) for place, text in everything for name, secret in SECRETS.items() if secret in text
    }
    assert found == set()
    assert len(everything) > 50
    logs = {place: text for place, text in everything if place.startswith("data/logs/")}
    assert {"data/logs/web.log", "data/logs/worker.log", "data/logs/flower.log"} <= set(logs)
