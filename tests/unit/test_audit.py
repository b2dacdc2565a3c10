"""What `make check` says of the locked packages: a known vulnerability fails, silence is told as silence."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
CLEAN = {"name": "flask", "version": "3.1.3", "vulns": []}
UNKNOWN = {"name": "ours", "skip_reason": "Dependency not found on PyPI"}
BROKEN = {
    "name": "old",
    "version": "1.0",
    "vulns": [{"id": "PYSEC-2026-1", "fix_versions": ["1.1"], "description": "it leaks"}],
}


@pytest.fixture(scope="module")
def audit() -> Any:
    spec = importlib.util.spec_from_file_location("audit", ROOT / "scripts/audit.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_known_vulnerabilities_fail_and_say_what_heals_them(audit: Any) -> None:
    passed, lines = audit.judge([CLEAN, BROKEN])

    assert not passed
    assert lines[0] == "old 1.0: PYSEC-2026-1, fixed in 1.1"


def test_packages_that_could_not_be_asked_about_are_named(audit: Any) -> None:
    passed, lines = audit.judge([CLEAN, UNKNOWN])

    assert passed
    assert lines == ["not audited: ours", "no known vulnerability in 1 packages"]


def test_a_service_that_knows_nothing_is_no_clean_bill(audit: Any) -> None:
    passed, [line] = audit.judge([UNKNOWN])

    assert passed
    assert line.startswith("NOT AUDITED")


def test_check_asks_and_reads_what_setup_installs(audit: Any) -> None:
    assert "scripts/audit.py" in (ROOT / "Makefile").read_text()
    assert audit.LOCK.is_file()
