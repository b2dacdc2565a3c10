"""The pages in a real browser: a song is chosen, heard, sent; progress moves; the video plays, is saved."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, expect, sync_playwright

from ethereal.audio.feature_set import FEATURE_NAMES
from ethereal.jobs.model import Job, JobStatus
from ethereal.render.capture.executable import find_chromium
from ethereal.services import Limits
from tests.browser.visits import Visit, served, wait_on
from tests.builders import add_job
from tests.sounds import write_beats
from tests.web_builders import open_web

#: Software drawing everywhere: no test depends on a driver.
FLAGS = [
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--autoplay-policy=no-user-gesture-required",
]
FRAMES = 12


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        executable = find_chromium(None, Path(playwright.chromium.executable_path))
        launched = playwright.chromium.launch(executable_path=executable, args=FLAGS, chromium_sandbox=False)
        yield launched
        launched.close()


@pytest.fixture
def visit(tmp_path: Path, browser: Browser) -> Iterator[Visit]:
    with served(open_web(tmp_path, limits=Limits(upload_bytes=4 << 20))) as (web, url):
        page = browser.new_page(viewport={"width": 390, "height": 844}, reduced_motion="reduce")
        page.set_default_timeout(60_000)
        yield Visit(web, page, url)
        page.close()


def film(path: Path) -> bytes:
    """A short video that a browser plays, each frame brighter than the one before."""
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("libx264", rate=12)
        stream.width, stream.height, stream.pix_fmt = 64, 36, "yuv420p"
        for number in range(FRAMES):
            shade = np.full((36, 64, 3), 40 + 15 * number, dtype=np.uint8)
            for packet in stream.encode(av.VideoFrame.from_ndarray(shade, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode(None):
            container.mux(packet)
    return path.read_bytes()


def test_a_song_becomes_a_video_that_plays_and_is_saved(visit: Visit, tmp_path: Path) -> None:
    page = visit.page
    visit.open()
    page.set_input_files("#file", write_beats(tmp_path / "Night Drive.wav", 2.0))
    page.get_by_role("radio", name="Aurora").check()
    page.get_by_role("radio", name="Draft 640 × 360").check()  # noqa: RUF001
    page.get_by_label("Title").fill("From a browser")
    page.get_by_role("button", name="Make the video").click()

    page.wait_for_url("**/jobs/*")
    [job] = visit.web.jobs()
    assert (job.request.title, job.request.filename) == ("From a browser", "Night Drive.wav")
    assert (job.request.template, job.request.output_format) == ("aurora", "draft-360p")

    percent = page.locator("[data-percent]")
    expect(percent).to_have_text("0")
    lease = visit.web.claim(job)
    visit.web.report(lease, "rendering", 32)
    visit.web.services.live.start(job.id, 100)
    expect(percent).to_have_text("32")
    expect(page.get_by_role("status")).to_have_text("Drawing the frames")
    visit.web.services.live.put(job.id, 0, 50)
    expect(percent).to_have_text("61")
    expect(page.locator(".eta")).to_contain_text("left")

    content = film(tmp_path / "film.mp4")
    visit.web.finish(lease, content, frames=FRAMES)
    video = page.locator("video")
    expect(video).to_be_visible()
    video.evaluate("video => { video.muted = true; return video.play(); }")
    page.wait_for_function("() => document.querySelector('video').currentTime > 0.2")

    with page.expect_download() as saving:
        page.get_by_role("link", name="Download").click()
    saved = saving.value
    assert saved.suggested_filename == "From a browser – Ethereal.mp4"  # noqa: RUF001
    assert saved.path().read_bytes() == content
    assert visit.complaints == []


def test_a_video_of_all_directions_is_looked_around_in(visit: Visit, tmp_path: Path) -> None:
    page = visit.page
    visit.open()
    page.set_input_files("#file", write_beats(tmp_path / "song.wav", 2.0))
    page.get_by_label("360° 3D 3840").check()
    page.get_by_role("button", name="Make the video").click()
    page.wait_for_url("**/jobs/*")
    lease = visit.web.claim(visit.web.jobs()[0])

    visit.web.finish(lease, film(tmp_path / "film.mp4"), frames=FRAMES)

    around = page.get_by_role("application")
    expect(around).to_be_visible()
    around.focus()
    page.keyboard.press("Home")
    dark = until_still(visit, around)
    page.locator("video").evaluate("video => { video.currentTime = 0.9; }")
    until_still(visit, around, other_than=dark)
    page.get_by_role("button", name="Show it flat").click()
    expect(around).to_be_hidden()
    page.get_by_role("button", name="Look around").click()
    expect(around).to_be_visible()
    assert visit.complaints == []


def test_the_preview_draws_and_answers_to_the_song(visit: Visit, tmp_path: Path) -> None:
    page = visit.page
    page.emulate_media(reduced_motion="no-preference")
    visit.open()
    expect(page.locator("canvas")).to_be_visible()
    page.set_input_files("#file", write_beats(tmp_path / "song.wav", 6.0))

    page.get_by_role("button", name="Play the preview").click()

    expect(page.get_by_role("button", name="Pause the preview")).to_be_visible()
    page.wait_for_function("() => Number(document.querySelector('[data-seek]').value) > 0.3")
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Play the preview")).to_be_visible()
    assert visit.complaints == []


def test_the_preview_hears_by_the_names_that_scenes_know(visit: Visit) -> None:
    visit.open("/jobs")

    names = visit.page.evaluate("import('/static/js/preview/hear.js').then(module => module.NAMES)")

    assert names == list(FEATURE_NAMES)


def test_a_look_can_be_fine_tuned(visit: Visit, tmp_path: Path) -> None:
    page = visit.page
    visit.open()
    page.get_by_text("Fine-tune this look").click()
    page.get_by_label("Brightness").fill("1.5")
    page.set_input_files("#file", write_beats(tmp_path / "song.wav", 1.0))
    page.get_by_role("button", name="Make the video").click()

    page.wait_for_url("**/jobs/*")
    assert visit.web.jobs()[0].request.parameters == {"intensity": 1.5}


def test_nothing_behind_the_light_can_be_had_where_the_file_keeps_it(visit: Visit, tmp_path: Path) -> None:
    visit.open()
    clear = visit.page.get_by_label("Transparent")
    expect(clear).to_be_hidden()
    visit.page.get_by_label("WebM").check()
    clear.check()
    expect(visit.page.locator(".stage.clear canvas")).to_be_visible()
    until_preview_is(visit, transparent=True)
    visit.page.get_by_label("MP4").check()
    expect(clear).to_be_hidden()
    until_preview_is(visit, transparent=False)
    visit.page.get_by_label("ProRes").check()
    visit.page.set_input_files("#file", write_beats(tmp_path / "song.wav", 1.0))
    visit.page.get_by_role("button", name="Make the video").click()

    visit.page.wait_for_url("**/jobs/*")
    [job] = visit.web.jobs()
    assert (job.request.container, job.request.background) == ("mov", "transparent")
    assert visit.complaints == []


def test_one_can_look_around_where_all_directions_are_shown(visit: Visit, tmp_path: Path) -> None:
    visit.open()
    canvas = visit.page.locator(".stage canvas")
    visit.page.get_by_label("360° 4096").check()
    around = visit.page.get_by_role("application")
    expect(around).to_be_visible()
    around.focus()
    visit.page.keyboard.press("Home")
    ahead = until_still(visit, canvas)
    visit.page.keyboard.press("ArrowRight")
    until_still(visit, canvas, other_than=ahead)
    visit.page.keyboard.press("Home")
    turned_back = until_still(visit, canvas)
    box = canvas.bounding_box()
    assert box is not None
    visit.page.mouse.move(box["x"] + 40, box["y"] + 60)
    visit.page.mouse.down()
    visit.page.mouse.move(box["x"] + 140, box["y"] + 60)
    visit.page.mouse.up()
    until_still(visit, canvas, other_than=ahead)
    assert turned_back == ahead
    visit.page.get_by_label("Square").check()
    expect(around).to_have_count(0)
    assert visit.complaints == []


def test_without_a_song_the_focus_goes_to_what_is_missing(visit: Visit) -> None:
    page = visit.page
    visit.open()
    page.get_by_role("button", name="Make the video").click()

    expect(page.locator("#problem-file")).to_have_text("Choose a song first")
    expect(page.locator("#file")).to_be_focused()


def test_the_address_of_a_song_does_in_place_of_a_file(visit: Visit) -> None:
    page = visit.page
    visit.open()
    page.get_by_label("web address").fill("http://10.0.0.1/song.mp3")
    page.get_by_role("button", name="Make the video").click()
    expect(page.locator("#problem-url")).to_be_visible()
    expect(page.locator("#url")).to_be_focused()

    page.get_by_label("web address").fill("https://example.org/song.mp3")
    page.get_by_role("button", name="Make the video").click()
    page.wait_for_url("**/jobs/*")
    [job] = visit.web.jobs()
    assert job.request.audio_url == "https://example.org/song.mp3"
    assert [said for said in visit.complaints if "400" not in said] == []


def test_a_file_that_is_no_song_is_told_beside_the_field(visit: Visit, tmp_path: Path) -> None:
    page = visit.page
    letter = tmp_path / "letter.wav"
    letter.write_text("Dear all, " * 50)
    visit.open()
    page.set_input_files("#file", letter)
    page.get_by_role("button", name="Make the video").click()

    expect(page.locator("#problem-file")).to_be_visible()
    expect(page.get_by_role("button", name="Make the video")).to_be_visible()
    assert visit.web.stored() == []


def test_a_file_that_is_too_large_is_not_sent(visit: Visit, tmp_path: Path) -> None:
    large = tmp_path / "large.wav"
    large.write_bytes(bytes(5 << 20))
    visit.open()
    visit.page.set_input_files("#file", large)

    expect(visit.page.locator("#problem-file")).to_have_text("large.wav is larger than 4 MB")


def test_a_render_is_stopped_after_a_question(visit: Visit) -> None:
    job = add_job(visit.web.services)
    page = visit.page
    visit.open(f"/jobs/{job.id}")
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Keep rendering").click()
    assert status(visit, job) is JobStatus.PENDING

    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Stop").click()

    expect(page.get_by_role("link", name="Render again with the same settings")).to_be_visible()
    assert status(visit, job) is JobStatus.CANCELLED


def test_the_list_moves_on_by_itself(visit: Visit) -> None:
    job = add_job(visit.web.services)
    visit.open("/jobs")
    expect(visit.page.locator("[data-chip]")).to_have_text("Waiting")

    visit.web.report(visit.web.claim(job), "rendering", 44)

    expect(visit.page.locator("[data-chip]")).to_have_text("44 %")


def test_the_form_works_without_javascript(visit: Visit, browser: Browser, tmp_path: Path) -> None:
    page = browser.new_page(java_script_enabled=False)
    page.goto(visit.url)
    page.set_input_files("#file", write_beats(tmp_path / "song.wav", 1.0))
    page.get_by_role("button", name="Make the video").click()

    page.wait_for_url("**/jobs/*")
    expect(page.get_by_text("Next in line")).to_be_visible()
    page.close()


def until_preview_is(visit: Visit, *, transparent: bool) -> None:
    canvas = visit.page.locator(".stage canvas")
    alpha = "canvas => canvas.getContext('webgl2').getContextAttributes()?.alpha"
    wait_on(visit.page, lambda: canvas.evaluate(alpha) is transparent)


def until_still(visit: Visit, canvas: Locator, *, other_than: bytes = b"") -> bytes:
    """What the preview shows once it shows something else and no longer changes."""
    seen = before = b""

    def at_rest() -> bool:
        nonlocal seen, before
        seen, before = canvas.screenshot(), seen
        return seen == before != other_than

    wait_on(visit.page, at_rest)
    return seen


def status(visit: Visit, job: Job) -> JobStatus:
    return visit.web.services.jobs.get(job.id).status
