"""The page that leads to production names settings and commands that exist."""

from __future__ import annotations

import re
from pathlib import Path

from ethereal.cli import cli
from ethereal.settings import Settings

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "deploy.md").read_text()


def test_every_setting_on_the_page_exists() -> None:
    named = {name.lower() for name in re.findall(r"ETHEREAL_([A-Z0-9_]+[A-Z0-9])\b", PAGE)}

    assert named - set(Settings.model_fields) == set()
    assert len(named) > 15


def test_every_command_on_the_page_exists() -> None:
    commands = set(re.findall(r"ethereal ethereal ([a-z-]+)", PAGE)) | set(
        re.findall(r"`ethereal ([a-z-]+)", PAGE)
    )
    processes = set(re.findall(r"ethereal start ([a-z]+)", PAGE))

    assert commands <= set(cli.commands) | set(cli.list_commands(None))  # type: ignore[arg-type]
    assert processes <= {line.split(":")[0] for line in (ROOT / "Procfile").read_text().splitlines()}
    assert {"storage", "cloud", "doctor", "submit", "start"} <= commands
    assert {"web", "worker", "control", "beat"} <= processes


def test_settings_are_written_as_docker_reads_them() -> None:
    """`docker run --env-file` takes what is behind the equals sign, quotes, comment and all."""
    lines = re.findall(r"^    (ETHEREAL_\w+)=(.*)$", PAGE, re.MULTILINE)

    assert len(lines) > 15
    assert [name for name, value in lines if re.search(r"[\s#'\"]", value)] == []
