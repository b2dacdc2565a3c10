from __future__ import annotations

from pathlib import Path

import pytest

from ethereal.env_example import env_example
from ethereal.errors import InvalidConfigError
from ethereal.settings import Settings, read_settings

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"ETHEREAL_{name.upper()}", raising=False)
    monkeypatch.chdir(tmp_path)


def test_the_embedded_defaults_need_no_variable() -> None:
    settings = read_settings()

    assert (settings.storage, settings.dispatcher, settings.base_url) == (
        "local",
        "farm",
        "http://127.0.0.1:8765",
    )


def test_a_variable_is_read_under_its_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ETHEREAL_PORT", "9000")
    monkeypatch.setenv("PORT", "1")

    assert read_settings().port == 9000


@pytest.mark.parametrize(
    ("set_", "named"),
    [
        ({"STORAGE": "r2", "R2_BUCKET": "b"}, ["ETHEREAL_R2_ACCOUNT_ID", "ETHEREAL_R2_SECRET_ACCESS_KEY"]),
        ({"DISPATCHER": "modal"}, ["ETHEREAL_MODAL_TOKEN_ID", "ETHEREAL_WEBHOOK_SECRET"]),
        ({"HOST": "0.0.0.0"}, ["ETHEREAL_API_TOKEN"]),
        ({"LEASE_SECONDS": "soon"}, ["ETHEREAL_LEASE_SECONDS"]),
        ({"WEBHOOK_SECRET": "short"}, ["ETHEREAL_WEBHOOK_SECRET"]),
    ],
)
def test_an_incomplete_configuration_stops_the_start_and_names_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, set_: dict[str, str], named: list[str]
) -> None:
    for name, value in set_.items():
        monkeypatch.setenv(f"ETHEREAL_{name}", value)

    with pytest.raises(InvalidConfigError) as refused:
        read_settings()
    assert all(name in str(refused.value) for name in named)
    assert "ETHEREAL_R2_BUCKET" not in str(refused.value)


@pytest.mark.parametrize(
    ("set_", "told"),
    [
        ({"LEASE_SECONDS": "3"}, "at least twice ETHEREAL_BEAT_SECONDS for ETHEREAL_LEASE_SECONDS"),
        ({"PREVIEW_MINUTES": "0.5"}, "at least ETHEREAL_LEASE_SECONDS for every ETHEREAL_.*_MINUTES"),
        ({"RENDER_HOURS": "0.5"}, "at least ETHEREAL_RENDER_MINUTES for ETHEREAL_RENDER_HOURS"),
        ({"PLAN_AGAIN_MINUTES": "0.2"}, "at least 15 seconds for ETHEREAL_PLAN_AGAIN_MINUTES"),
    ],
)
def test_times_that_do_not_fit_together_stop_the_start(
    monkeypatch: pytest.MonkeyPatch, set_: dict[str, str], told: str
) -> None:
    for name, value in set_.items():
        monkeypatch.setenv(f"ETHEREAL_{name}", value)

    with pytest.raises(InvalidConfigError, match=told):
        read_settings()


def test_renderers_elsewhere_need_a_bucket(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"MODAL_TOKEN_ID": "ak", "MODAL_TOKEN_SECRET": "as", "WEBHOOK_SECRET": "x" * 32}
    for name, value in {**given, "DISPATCHER": "modal", "PUBLIC_URL": "https://a.example"}.items():
        monkeypatch.setenv(f"ETHEREAL_{name}", value)

    with pytest.raises(InvalidConfigError, match="ETHEREAL_STORAGE=r2"):
        read_settings()


def test_secrets_do_not_show() -> None:
    shown = repr(read_settings(webhook_secret="w" * 40, broker_url="redis://:hunter2@127.0.0.1/0"))

    assert "w" * 40 not in shown
    assert "hunter2" not in shown


def test_the_example_names_every_setting() -> None:
    assert (ROOT / ".env.example").read_text() == env_example()
