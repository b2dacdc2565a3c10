"""A creator's way through the pages: file in, progress, video out; nothing of it simulated."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from ethereal.embedded import RunningStack
from tests.browser.visits import wait_on
from tests.pictures import read_frames
from tests.sounds import write_beats

DRAFT = "label.format:has(input[value=draft-360p])"


@pytest.fixture(params=["desktop", "phone"])
def page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    width, height = (1280, 800) if request.param == "desktop" else (390, 844)
    context = browser.new_context(viewport={"width": width, "height": height}, accept_downloads=True)
    context.set_default_timeout(60_000)
    opened, complaints = context.new_page(), list[str]()
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("console", lambda line: complaints.append(line.text) if _is_complaint(line) else None)
    yield opened
    context.close()
    assert complaints == []


def _is_complaint(line: ConsoleMessage) -> bool:
    return line.type == "error" and "status of 422" not in line.text  # a refusal that the test asked for


@pytest.fixture(scope="module")
def short_song(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_beats(tmp_path_factory.mktemp("song") / "Short song.wav", 8.0)


def test_the_form_makes_a_video_that_plays_and_downloads(
    page: Page, stack: RunningStack, short_song: Path, tmp_path: Path
) -> None:
    page.goto(stack.web_url)
    page.set_input_files("input[type=file]", short_song)
    # Another look for each size of window: the chunks of an equal video would be found, not drawn.
    look = "Solar Flare" if page.viewport_size == {"width": 1280, "height": 800} else "Moonfire"
    page.locator("label.look", has_text=look).click()
    page.locator(DRAFT).click()
    page.locator("label.pill", has_text="24").click()
    page.fill("#title", "A test of light")
    page.locator("[data-submit]").click()

    page.wait_for_url("**/jobs/*")
    expect(page.locator("h1")).to_have_text("A test of light")
    video, bars, seen = page.locator("video"), page.locator("[data-bar]"), set[str | None]()

    def done() -> bool:
        # In one look: the page may put the video in the bar's place between two questions.
        seen.update(bars.evaluate_all("bars => bars.map(bar => bar.getAttribute('value'))"))
        return video.count() > 0

    wait_on(page, done)
    assert len(seen) > 2, f"the bar moves: {seen}"
    expect(video).to_be_visible()
    video.evaluate("video => { video.muted = true; return video.play() }")
    wait_on(page, lambda: video.evaluate("video => video.currentTime") > 0.5)
    assert video.evaluate("video => [video.videoWidth, video.videoHeight]") == [640, 360]
    with page.expect_download() as downloading:
        page.locator("a[download]").click()
    saved = tmp_path / downloading.value.suggested_filename
    downloading.value.save_as(saved)

    assert saved.name.startswith("A test of light")
    frames = read_frames(saved)
    assert len(frames) == 192
    assert frames.mean(axis=(1, 2)).min() > 2
    assert np.median(np.abs(np.diff(frames, axis=0)).mean(axis=(1, 2))) > 0.05


def test_a_file_without_sound_is_refused_beside_its_field(
    page: Page, stack: RunningStack, tmp_path: Path
) -> None:
    text = tmp_path / "notes.mp3"
    text.write_text("this is not music")
    page.goto(stack.web_url)
    page.set_input_files("input[type=file]", text)
    with page.expect_response("**/api/render") as refused:
        page.locator("[data-submit]").click()

    assert refused.value.status == 422
    expect(page.locator("#problem-file")).to_be_visible()


def test_without_scripts_the_form_submits_and_the_page_tells(
    browser: Browser, stack: RunningStack, short_song: Path
) -> None:
    context = browser.new_context(java_script_enabled=False)
    context.set_default_timeout(60_000)
    page = context.new_page()
    page.goto(stack.web_url)
    page.set_input_files("input[type=file]", short_song)
    page.locator(DRAFT).click()
    page.locator("[data-submit]").click()
    page.wait_for_url("**/jobs/*")

    expect(page.locator("video, progress").first).to_be_visible()
    wait_on(page, lambda: page.reload() and page.locator("video").count())
    expect(page.locator("a[download]")).to_be_visible()
    context.close()
