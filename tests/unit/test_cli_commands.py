"""The command line: every command is found under its name, and one does not pay for what another needs."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest

from ethereal.cli import cli

NAMES = cli.list_commands(click.Context(cli))


@pytest.mark.parametrize("name", NAMES)
def test_every_command_is_what_its_name_says(name: str) -> None:
    command = cli.get_command(click.Context(cli), name)

    assert command is not None
    assert command.name == name
    assert command.help


def test_a_command_that_is_not_there_is_an_error_and_not_a_module() -> None:
    assert cli.get_command(click.Context(cli), "wanted") is None


def test_listing_jobs_does_not_load_what_rendering_needs() -> None:
    code = "import sys; from ethereal.cli import cli; cli(['jobs', '--help'], standalone_mode=False); "
    code += "print(sorted({'scipy', 'av', 'playwright', 'boto3'} & set(sys.modules)))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout

    assert said.splitlines()[-1] == "[]"
