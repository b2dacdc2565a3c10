"""`ethereal cloud`: deployed by its own command, checked piece by piece, priced from what renders took."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from threading import Thread

import pytest
from werkzeug.serving import make_server

from ethereal.cloud.check import CloudParts, Finding, check_cloud
from ethereal.dispatch.dispatcher import Cloud
from ethereal.dispatch.modal_calls import ModalDispatcher
from ethereal.jobs.memory import MemoryJobStore
from ethereal.settings import Settings
from ethereal.storage.r2 import R2ObjectStore
from tests.builders import HandClock, make_services
from tests.cloud_builders import SECRET, MemoryDispatcher, with_cloud
from tests.standins.modal import ModalStandIn, open_modal
from tests.standins.r2 import KEY_ID, R2StandIn, open_r2
from tests.standins.r2 import SECRET as R2_SECRET
from web import create_app


@dataclass(frozen=True)
class Place:
    """A bucket, Modal with the app deployed by the command, and the web app."""

    r2: R2StandIn
    modal: ModalStandIn
    web_url: str
    deployed: str

    def parts(self, **terms: object) -> CloudParts:
        patience = timedelta(seconds=5)
        said = self.modal.environment
        modal = ModalDispatcher(
            "ethereal",
            token_id=said["MODAL_TOKEN_ID"],
            token_secret=said["MODAL_TOKEN_SECRET"],
            patience=patience,
        )
        cloud = Cloud(
            dispatcher=MemoryDispatcher(), report_url=f"{self.web_url}/api/webhooks/worker", secret=SECRET
        )
        return CloudParts(
            lambda: R2ObjectStore(self.r2.bucket()),
            MemoryJobStore,
            replace(cloud, **terms),  # type: ignore[arg-type]
            modal.find,
        )


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("place")
    clock = HandClock()
    with open_r2() as r2, open_modal(folder / "modal") as modal:
        services = with_cloud(make_services(folder, clock=clock), clock, R2ObjectStore(r2.bucket()))
        settings = Settings(_env_file=None, data_dir=folder, port=1)  # type: ignore[call-arg]
        server = make_server("127.0.0.1", 0, create_app(services, settings, secret=b"x"), threaded=True)
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield Place(r2, modal, f"http://127.0.0.1:{server.port}", ethereal(r2, modal, folder, "deploy"))
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def ethereal(r2: R2StandIn, modal: ModalStandIn, folder: Path, *arguments: str) -> str:
    """What the command prints."""
    variables = {
        "ETHEREAL_DATA_DIR": str(folder),
        "ETHEREAL_DISPATCHER": "modal",
        "ETHEREAL_MODAL_TOKEN_ID": modal.environment["MODAL_TOKEN_ID"],
        "ETHEREAL_MODAL_TOKEN_SECRET": modal.environment["MODAL_TOKEN_SECRET"],
        "ETHEREAL_WEBHOOK_SECRET": SECRET.decode(),
        "ETHEREAL_PUBLIC_URL": "http://127.0.0.1:1",
        "ETHEREAL_STORAGE": "r2",
        "ETHEREAL_R2_ENDPOINT": r2.endpoint,
        "ETHEREAL_R2_BUCKET": r2.bucket_name,
        "ETHEREAL_R2_ACCESS_KEY_ID": KEY_ID,
        "ETHEREAL_R2_SECRET_ACCESS_KEY": R2_SECRET,
        "MODAL_SERVER_URL": modal.environment["MODAL_SERVER_URL"],
    }
    command = [sys.executable, "-m", "ethereal.cli", "cloud", *arguments]
    run = subprocess.run(command, env={**os.environ, **variables}, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


@pytest.fixture(autouse=True)
def modal_here(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODAL_SERVER_URL", place.modal.environment["MODAL_SERVER_URL"])


def broken(parts: CloudParts) -> dict[str, Finding]:
    return {found.piece: found for found in check_cloud(parts) if not found.works}


def test_the_command_deploys_the_renderer(place: Place) -> None:
    assert "render_video_gpu" in place.deployed
    assert set(place.modal.plane.deployed) == {"ethereal"}


def test_a_path_that_is_whole_has_nothing_broken_and_nothing_left_on_it(place: Place) -> None:
    assert [found.said for found in broken(place.parts()).values()] == []
    assert list(R2ObjectStore(place.r2.bucket()).list("")) == []  # type: ignore[arg-type]


def test_each_piece_that_is_broken_is_named_with_what_to_do(place: Place) -> None:
    parts = place.parts()
    wrong_key = replace(parts, open_objects=lambda: R2ObjectStore(place.r2.bucket(secret_access_key="no")))
    assert set(broken(wrong_key)) == {"bucket", "links"}
    place.modal.plane.deployed["other"] = place.modal.plane.deployed.pop("ethereal")
    try:
        assert "cloud deploy" in broken(parts)["functions"].remedy
    finally:
        place.modal.plane.deployed["ethereal"] = place.modal.plane.deployed.pop("other")
    assert "WEBHOOK_SECRET" in broken(place.parts(secret=b"y" * 32))["reports"].said
    for address in ("http://127.0.0.1:1/", f"{place.web_url}/healthz"):
        assert set(broken(place.parts(report_url=address))) == {"reports"}


def test_a_video_is_priced_before_it_is_rendered(place: Place, tmp_path: Path) -> None:
    told = ethereal(place.r2, place.modal, tmp_path, "estimate", "60", "--format", "flat-4k-landscape")

    assert "s of L4 in" in told
    assert "about $0." in told
