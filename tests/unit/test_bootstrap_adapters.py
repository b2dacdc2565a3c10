"""Which adapters the settings bring."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from ethereal.bootstrap import open_job_store, open_object_store
from ethereal.cli import cli
from ethereal.errors import InvalidConfigError, MisconfiguredError
from ethereal.settings import Settings, read_settings
from ethereal.storage.keys import StorageKey
from ethereal.storage.local import LocalObjectStore
from ethereal.storage.r2 import R2ObjectStore
from tests.standins.hrana import open_hrana
from tests.standins.r2 import KEY_ID, SECRET, R2StandIn, open_r2


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"ETHEREAL_{name.upper()}", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def r2(monkeypatch: pytest.MonkeyPatch) -> Iterator[R2StandIn]:
    with open_r2() as running:
        for name, value in {
            "STORAGE": "r2",
            "R2_ENDPOINT": running.endpoint,
            "R2_BUCKET": running.bucket_name,
            "R2_ACCESS_KEY_ID": KEY_ID,
            "R2_SECRET_ACCESS_KEY": SECRET,
            "PUBLIC_URL": "https://ethereal.example/",
        }.items():
            monkeypatch.setenv(f"ETHEREAL_{name}", value)
        yield running


def test_objects_live_on_this_machine_unless_said_otherwise() -> None:
    assert isinstance(open_object_store(read_settings()), LocalObjectStore)


def test_the_settings_alone_move_objects_to_a_bucket(r2: R2StandIn, tmp_path: Path) -> None:
    store = open_object_store(read_settings())
    (tmp_path / "file").write_bytes(b"12345")

    assert isinstance(store, R2ObjectStore)
    assert store.put(StorageKey("renders/a/output.mp4"), tmp_path / "file").size == 5


def test_a_bucket_needs_its_account_or_its_address(r2: R2StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ETHEREAL_R2_ENDPOINT")
    with pytest.raises(InvalidConfigError, match="ETHEREAL_R2_ACCOUNT_ID"):
        read_settings()
    monkeypatch.setenv("ETHEREAL_R2_ACCOUNT_ID", "abc")
    store = open_object_store(read_settings())
    assert isinstance(store, R2ObjectStore)
    assert store.bucket.endpoint == "https://abc.r2.cloudflarestorage.com"


def test_the_settings_alone_move_jobs_to_a_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_hrana(tmp_path / "jobs.db", token="token") as server:
        monkeypatch.setenv("ETHEREAL_DATABASE_URL", f"libsql://127.0.0.1:{server.port}?tls=0")
        monkeypatch.setenv("ETHEREAL_DATABASE_AUTH_TOKEN", "token")
        with closing(open_job_store(read_settings())) as store:
            assert sum(store.counts().values()) == 0
        assert server.asked

        monkeypatch.setenv("ETHEREAL_DATABASE_AUTH_TOKEN", "another")
        with pytest.raises(MisconfiguredError):
            open_job_store(read_settings())


def test_a_database_that_is_none_is_refused_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ETHEREAL_DATABASE_URL", "postgres://127.0.0.1/jobs")
    with pytest.raises(InvalidConfigError, match="ETHEREAL_DATABASE_URL"):
        open_job_store(read_settings())


def test_storage_setup_says_what_it_did(r2: R2StandIn) -> None:
    first = CliRunner().invoke(cli, ["storage", "setup"], catch_exceptions=False)
    again = CliRunner().invoke(cli, ["storage", "setup"], catch_exceptions=False)

    assert first.exit_code == again.exit_code == 0
    assert "CORS: pages of https://ethereal.example may get and put: set" in first.output
    assert "uploads/ goes after 2 days: set" in first.output
    assert again.output.count("was so already") == 5


def test_storage_setup_needs_a_bucket() -> None:
    with pytest.raises(InvalidConfigError, match="ETHEREAL_STORAGE=r2"):
        CliRunner().invoke(cli, ["storage", "setup"], catch_exceptions=False)
