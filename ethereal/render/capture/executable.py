"""Which Chromium to start."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from ethereal.errors import RendererMismatchError

_ON_PATH = ("chromium-headless-shell", "chrome-headless-shell", "chromium", "google-chrome")


def find_chromium(given: Path | None, playwright: Path) -> Path:
    """The one given, Playwright's own (`playwright` is where it would be), or one on PATH.

    A given one that is not there is an error, not a reason to take another. Raises RendererMismatchError.
    """
    if given is not None:
        if not given.is_file():
            raise RendererMismatchError(f"no Chromium at {given}")
        return given
    found = next(_candidates(playwright), None)
    if found is None:
        raise RendererMismatchError("no Chromium: run `playwright install chromium` or install chromium")
    return found


def _candidates(playwright: Path) -> Iterator[Path]:
    yield from _headless_shells(playwright)
    if playwright.is_file():
        yield playwright
    yield from (Path(found) for name in _ON_PATH if (found := shutil.which(name)))


def _headless_shells(playwright: Path) -> list[Path]:
    """Playwright's small build lies beside the full one: chromium-1234, chromium_headless_shell-1234."""
    if len(playwright.parts) < 4:
        return []
    revision = playwright.parents[1]
    beside = revision.parent / revision.name.replace("chromium", "chromium_headless_shell", 1)
    return sorted(path for path in beside.glob("*/*headless*shell") if path.is_file())
