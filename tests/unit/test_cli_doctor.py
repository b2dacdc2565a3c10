"""`ethereal doctor` looks at what the settings name, not at what is built in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ethereal.cli import doctor
from ethereal.cli.doctor import Need, needs
from ethereal.settings import Settings
from tests.standins.r2 import KEY_ID, SECRET, R2StandIn, open_r2

SERVICES = {"queue", "job store", "bucket"}


@pytest.fixture
def r2() -> Iterator[R2StandIn]:
    with open_r2() as running:
        yield running


def run_doctor(monkeypatch: pytest.MonkeyPatch, folder: Path, **settings: str) -> Result:
    """Ask it of services alone: what draws and encodes is looked at elsewhere."""

    def services(given: Settings) -> list[Need]:
        return [need for need in needs(given) if need.name in SERVICES]

    monkeypatch.chdir(folder)
    monkeypatch.setattr(doctor, "needs", services)
    for name, value in settings.items():
        monkeypatch.setenv(f"ETHEREAL_{name.upper()}", value)
    return CliRunner().invoke(doctor.doctor, env={"COLUMNS": "200"})


def in_a_bucket(r2: R2StandIn) -> dict[str, str]:
    return {
        "storage": "r2",
        "r2_endpoint": r2.endpoint,
        "r2_bucket": r2.bucket_name,
        "r2_access_key_id": KEY_ID,
        "r2_secret_access_key": SECRET,
    }


def test_services_that_are_set_and_answer_are_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, r2: R2StandIn, valkey_url: str
) -> None:
    said = run_doctor(monkeypatch, tmp_path, broker_url=valkey_url, **in_a_bucket(r2))

    assert said.exit_code == 0, said.output
    assert "the broker of ETHEREAL_BROKER_URL, valkey" in said.output
    assert "0 jobs in data/jobs.db" in said.output
    assert f"{r2.bucket_name}, which answers" in said.output


def test_services_that_do_not_answer_or_refuse_are_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, r2: R2StandIn
) -> None:
    wrong = in_a_bucket(r2) | {"r2_secret_access_key": "another"}
    said = run_doctor(monkeypatch, tmp_path, broker_url="redis://127.0.0.1:1/0", **wrong)

    assert said.exit_code == 1
    assert said.output.count("✗") == 2
    assert "the broker of ETHEREAL_BROKER_URL does not answer" in said.output
    assert "another" not in said.output
