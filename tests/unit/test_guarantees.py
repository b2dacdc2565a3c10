"""Every promise of docs/guarantees.md names tests that prove it, and those tests are there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/guarantees.md").read_text()
PROMISES = {
    block.partition("\n")[0]: re.findall(r"^- `(\S+)::(\S+)`", block, re.MULTILINE)
    for block in re.split(r"^### ", PAGE, flags=re.MULTILINE)[1:]
}


@cache
def names_in(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text())
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("promise", PROMISES)
def test_every_promise_is_proven_by_tests_that_are_there(promise: str) -> None:
    assert PROMISES[promise], "it names no test"
    for path, name in PROMISES[promise]:
        assert name.startswith("test_")
        assert name in names_in(path), path


def test_no_line_that_names_a_test_was_overlooked() -> None:
    assert PAGE.count("::test_") == sum(map(len, PROMISES.values()))


def test_what_operations_and_architecture_say_is_promised_is_on_the_page() -> None:
    for page in ("ARCHITECTURE.md", "docs/operations.md"):
        assert "docs/guarantees.md" in (ROOT / page).read_text()
