"""A browser as people have it: the full Chromium, which plays H.264."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright


@pytest.fixture(autouse=True, scope="session")
def patience() -> None:
    expect.set_options(timeout=60_000)  # a busy machine is slow to draw


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        executable = shutil.which("chromium") or shutil.which("google-chrome")
        opened = playwright.chromium.launch(
            executable_path=executable,  # None: Playwright's own, which plays no H.264
            args=["--no-sandbox", "--autoplay-policy=no-user-gesture-required"],
        )
        yield opened
        opened.close()
