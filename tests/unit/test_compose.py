"""The compose file, the Dockerfile and the Procfile hold together, and name what exists."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from datetime import timedelta
from fnmatch import fnmatch
from importlib.metadata import entry_points, requires
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from jsonschema.validators import validator_for  # type: ignore[import-untyped]

from ethereal.embedded import StackOptions
from ethereal.settings import Settings, read_settings

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
DOCKERFILE = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
PROCFILE = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())
STORES = dict(
    line.split("=", 1)
    for line in (ROOT / "docker-compose.stores.env").read_text().splitlines()
    if not line.startswith("#")
)
COMPOSE_SCHEMA = "builtin_schemas/vendor/compose-spec.json"  # as github.com/compose-spec publishes it
TOKEN = {"ETHEREAL_API_TOKEN": "0123456789abcdef"}


def instructions(name: str) -> list[str]:
    """The arguments of each such instruction of the Dockerfile."""
    return re.findall(rf"^{name} +(.+)$", DOCKERFILE, re.MULTILINE)


def filled(text: str, given: Mapping[str, str]) -> str:
    """`text` with its variables put in, as compose does it; KeyError for one that has to be given."""

    def value(match: re.Match[str]) -> str:
        name, kind, default = match.groups()
        return given.get(name) or (default if kind == ":-" else given[name])

    return re.sub(r"\$\{(\w+)(?:(:[-?])([^}]*))?\}", value, text)


def commands() -> Iterator[list[str]]:
    """Every command of ours, in words."""
    yield from map(shlex.split, PROCFILE.values())
    yield from (shlex.split(service["command"]) for service in OURS.values() if "command" in service)


def test_it_is_a_compose_file_by_the_official_schema() -> None:
    schema = json.loads(files("check_jsonschema").joinpath(COMPOSE_SCHEMA).read_text())
    validator = validator_for(schema)(schema)

    assert [error.message for error in validator.iter_errors(COMPOSE)] == []
    wrong = COMPOSE | {"services": SERVICES | {"web": SERVICES["web"] | {"helthcheck": {}}}}
    assert [error.message for error in validator.iter_errors(wrong)] != []


def test_what_is_waited_for_tells_when_it_is_there() -> None:
    for service in SERVICES.values():
        for wanted, how in service.get("depends_on", {}).items():
            assert how["condition"] == "service_healthy"
            assert "healthcheck" in SERVICES[wanted]
            assert ("profiles" in SERVICES[wanted]) == (how.get("required") is False)


def test_every_service_is_restarted_checked_pinned_and_reached_from_this_machine_alone() -> None:
    for name, service in SERVICES.items():
        assert service["restart"] == "unless-stopped", name
        assert "test" in service.get("healthcheck", {}) or name == "web", name
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name
        assert {volume.split(":")[0] for volume in service["volumes"]} <= set(COMPOSE["volumes"])
        if name not in OURS:
            assert re.search(r":v?\d[\w.-]*$", service["image"]), name


def test_without_a_profile_it_is_the_farm_on_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings = settings_of("web", TOKEN, monkeypatch, tmp_path)

    assert {name for name, service in SERVICES.items() if "profiles" in service} == {"libsql", "s3"}
    assert (settings.storage, settings.database_url, settings.dispatcher) == ("local", None, "farm")


def test_the_profile_s_variables_lead_to_its_servers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in OURS:
        settings = settings_of(name, TOKEN | STORES, monkeypatch, tmp_path)
        assert settings.storage == "r2"
        assert settings.database_url == "http://libsql:8080"
        assert settings.r2_endpoint == "http://s3.localhost:8333"

    s3 = SERVICES["s3"]
    assert s3["networks"]["default"]["aliases"] == ["s3.localhost"]
    for given in ({}, STORES):  # the server's keys are those of its clients, and never none
        keys = [filled(value, given) for value in s3["environment"].values()]
        assert keys == [STORES["ETHEREAL_R2_ACCESS_KEY_ID"], STORES["ETHEREAL_R2_SECRET_ACCESS_KEY"]]
        assert filled(s3["command"], given).endswith(f"-bucket={STORES['ETHEREAL_R2_BUCKET']}")


def settings_of(
    name: str, given: Mapping[str, str], monkeypatch: pytest.MonkeyPatch, folder: Path
) -> Settings:
    """What a process of this service reads, where these variables were given to compose."""
    monkeypatch.chdir(folder)  # away from a developer's .env
    for variable, text in OURS[name]["environment"].items():
        monkeypatch.setenv(variable, filled(text, given))
    return read_settings()


@pytest.mark.parametrize(
    "name", ["docker-compose.yml", "docker-compose.stores.env", "Dockerfile", "Procfile", "docs/deploy.md"]
)
def test_every_setting_named_is_known(name: str) -> None:
    named = re.findall(r"ETHEREAL_([A-Z0-9_]+[A-Z0-9])\b", (ROOT / name).read_text())

    assert {setting.lower() for setting in named} <= set(Settings.model_fields)
    assert named


def test_every_process_started_stands_in_the_procfile() -> None:
    pages = [DOCKERFILE, *(str(service["command"]) for service in OURS.values())]
    pages.append((ROOT / "docs/deploy.md").read_text())
    started = {name for page in pages for name in re.findall(r'ethereal"?,? "?start"?,? "?([a-z]+)', page)}

    assert started == set(PROCFILE)


def test_every_command_names_a_program_and_a_module_that_exist() -> None:
    programs = {entry.name for entry in entry_points(group="console_scripts")}
    known_to_celery = {"worker", "beat"} | {entry.name for entry in entry_points(group="celery.commands")}
    for words in commands():
        assert words[0] in programs | {"python"}
        if words[0] == "python":
            assert words[1] == "-m"
            assert find_spec(words[2])
        if words[0] == "gunicorn":
            assert find_spec(words[1].split(":")[0])
        if words[0] == "celery":
            assert words[1] == "-A"
            assert find_spec(words[2])
            assert words[3] in known_to_celery


def test_every_container_has_longer_to_stop_than_its_process_takes() -> None:
    limit = Settings.model_construct().stop_limit
    for name, service in OURS.items():
        assert timedelta(seconds=int(service["stop_grace_period"].removesuffix("s"))) > limit, name
    assert StackOptions(data_dir=ROOT).stop_limit == limit


def test_workers_are_asked_by_the_names_they_have() -> None:
    asked = {
        name: re.findall(r'-d "(\w+)@', str(service.get("healthcheck"))) for name, service in OURS.items()
    }

    assert {name for name, nodes in asked.items() if nodes} == {"worker", "render", "control"}
    for name, nodes in asked.items():
        assert all(f"-n {node}@%h " in PROCFILE[name] for node in nodes)


def test_the_image_gets_what_it_copies_and_is_no_root() -> None:
    ignored = (ROOT / ".dockerignore").read_text().split()
    for words in map(str.split, instructions("COPY")):
        for source in words[:-1]:
            assert (ROOT / source).exists()
            assert not any(fnmatch(source, pattern) for pattern in ignored)

    assert instructions("USER")[-1] not in ("root", "0")
    assert DOCKERFILE.index("\nUSER ") < DOCKERFILE.index("\nCMD ")
    assert "/healthz" in instructions("HEALTHCHECK")[0]
    assert any(name.startswith("yt-dlp==") for name in requires("ethereal") or [])
