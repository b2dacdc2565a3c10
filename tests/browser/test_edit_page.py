"""The edit page in a real browser: a cut is drawn, undone, heard, kept; by mouse, by keys, on a phone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from ethereal.assets.model import Asset
from ethereal.jobs.model import Job, JobType
from ethereal.jobs.request import Clip, EditRecipe
from ethereal.pipeline.edit import preview, save
from tests.asset_builders import take_in
from tests.browser.visits import Visit, served, wait_on
from tests.web_builders import Web, open_web

SECONDS = 8.0
DRAWN = """canvas => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return data.filter((value, at) => at % 4 === 3 && value > 0).length / (canvas.width * canvas.height);
}"""


@pytest.fixture(params=[(1280, 800)], ids=["desktop"])
def visit(request: pytest.FixtureRequest, tmp_path: Path, browser: Browser) -> Iterator[Visit]:
    width, height = request.param
    with served(open_web(tmp_path)) as (web, url):
        page = browser.new_page(viewport={"width": width, "height": height}, reduced_motion="reduce")
        page.set_default_timeout(60_000)
        yield Visit(web, page, url)
        page.close()


on_a_phone = pytest.mark.parametrize("visit", [(390, 844)], ids=["phone"], indirect=True)


@pytest.fixture
def asset(visit: Visit) -> Asset:
    taken = take_in(visit.web.services, SECONDS)
    visit.open(f"/sounds/{taken.id}/edit")
    expect(cards(visit)).to_have_count(1)
    return taken


def cards(visit: Visit) -> Locator:
    return visit.page.locator("[data-clip]")


def field(visit: Visit, name: str, clip: int = 0) -> Locator:
    return cards(visit).nth(clip).get_by_label(name)


def press(visit: Visit, name: str) -> None:
    visit.page.get_by_role("button", name=name, exact=True).click()


def drag(page: Page, start: float, end: float) -> None:
    """Drag over the waveform, from one part of its width to another."""
    box = page.locator("[data-surface]").bounding_box()
    assert box
    y = box["y"] + box["height"] * 0.7
    page.mouse.move(box["x"] + box["width"] * start, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * (start + end) / 2, y)
    page.mouse.move(box["x"] + box["width"] * end, y)
    page.mouse.up()


def run_next(web: Web, page: Page, kind: JobType, step: Callable[..., bool]) -> None:
    """Do the work of the job that the page has just asked for."""
    waiting: list[Job] = []

    def asked_for() -> bool:
        waiting[:] = [job for job in web.jobs() if job.type is kind and not job.status.is_final]
        return bool(waiting)

    wait_on(page, asked_for)
    step(web.services, waiting[0].id)


def saved_recipe(web: Web, asset: Asset) -> EditRecipe:
    prepared = web.services.assets.get(asset.id).prepared
    assert prepared
    return prepared.recipe


def part(clip: Clip) -> tuple[float, float]:
    return clip.start_time, clip.end_time


def test_a_cut_is_drawn_faded_undone_kept_over_a_reload_and_saved(visit: Visit, asset: Asset) -> None:
    page, asked = visit.page, list[str]()
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    assert page.locator("[data-surface] canvas").evaluate(DRAWN) > 0.3
    drag(page, 0.25, 0.75)
    press(visit, "Keep only this")
    expect(page.locator("[data-total]")).to_have_text("0:04.000")
    field(visit, "Fade in").fill("0.5")
    field(visit, "Volume").fill("80")
    expect(page.locator("[data-volume]")).to_have_text("80 %")

    page.keyboard.press("Control+z")
    expect(page.locator("[data-volume]")).to_have_text("100 %")
    press(visit, "Undo")
    expect(field(visit, "Fade in")).to_have_value("0")
    page.keyboard.press("Control+Shift+Z")
    press(visit, "Redo")
    page.reload()
    assert asked == ["beforeunload"]
    expect(page.get_by_text("This is your draft of last time")).to_be_visible()
    expect(field(visit, "Fade in")).to_have_value("0.5")

    press(visit, "Make a video from this")
    run_next(visit.web, page, JobType.SAVE, save)
    page.wait_for_url(f"**/?assetId={asset.id}")
    expect(page.locator("[data-time]")).to_have_text("0:00 / 0:04")  # the saved cut is heard in the preview
    [clip] = saved_recipe(visit.web, asset).clips
    assert part(clip) == pytest.approx((2.0, 6.0), abs=0.02)
    assert (clip.volume, clip.fade_in, clip.fade_out) == (0.8, 0.5, 0)
    assert asked == ["beforeunload"]
    assert visit.complaints == []


def test_a_cut_is_heard_before_it_is_kept(visit: Visit, asset: Asset) -> None:
    page = visit.page
    drag(page, 0.5, 0.6)
    press(visit, "Cut it out")
    expect(cards(visit)).to_have_count(2)
    press(visit, "Hear the cut")
    expect(page.get_by_role("progressbar", name="Progress of the preview")).to_be_visible()
    run_next(visit.web, page, JobType.PREVIEW, preview)

    heard = page.get_by_label("Preview of the cut")
    expect(heard).to_be_visible()
    wait_on(page, lambda: heard.evaluate("audio => audio.currentTime") > 0)
    assert heard.evaluate("audio => audio.duration") == pytest.approx(7.2, abs=0.2)
    field(visit, "Fade out", clip=1).fill("1")
    field(visit, "Fade in", clip=1).focus()
    expect(page.get_by_text("The cut has changed since")).to_be_visible()
    assert visit.web.services.assets.get(asset.id).prepared is None
    assert visit.complaints == []


def test_what_is_wrong_with_a_clip_is_told_beside_it(visit: Visit, asset: Asset) -> None:
    page = visit.page
    press(visit, "Double clip 1")
    field(visit, "To", clip=1).fill("20")
    field(visit, "Fade in", clip=1).fill("soon")
    press(visit, "Save")
    expect(cards(visit).nth(1).get_by_role("alert")).to_have_text(
        "it ends at 0:20.0, after its source, which is 0:08.0 long"
    )
    expect(cards(visit).nth(1)).to_be_focused()
    expect(cards(visit).nth(0).get_by_role("alert")).to_be_hidden()
    assert [job.type for job in visit.web.jobs()] == [JobType.INGEST]

    field(visit, "To", clip=1).fill("0:03.5")
    press(visit, "Save")
    run_next(visit.web, page, JobType.SAVE, save)
    expect(page.get_by_text("Saved: 0:11.500")).to_be_visible()
    assert [part(clip) for clip in saved_recipe(visit.web, asset).clips] == [(0, 8), (0, 3.5)]
    assert [said for said in visit.complaints if "400" not in said] == []


def test_the_keyboard_alone_does_everything(visit: Visit, asset: Asset) -> None:
    page, keys = visit.page, visit.page.keyboard
    page.get_by_role("slider", name="Place in the sound").focus()
    for key in ("Shift+ArrowRight", "i", "Shift+ArrowRight", "Shift+ArrowRight", "ArrowRight", "o", "Enter"):
        keys.press(key)
    expect(field(visit, "From", clip=1)).to_have_value("0:01.000")
    expect(field(visit, "To", clip=1)).to_have_value("0:03.100")
    page.get_by_role("slider", name="Clip 2 ends").focus()
    keys.press("ArrowLeft")
    expect(field(visit, "To", clip=1)).to_have_value("0:03.090")

    page.locator("[data-block]").nth(1).focus()
    keys.press("Alt+ArrowLeft")
    expect(field(visit, "From")).to_have_value("0:01.000")
    expect(page.locator("[data-block]").nth(0)).to_be_focused()
    keys.press("Delete")
    expect(cards(visit)).to_have_count(1)
    keys.press("Control+z")
    expect(cards(visit)).to_have_count(2)

    page.locator("body").focus()
    page.get_by_role("slider", name="Place in the sound").focus()
    keys.press("Space")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    keys.press("Space")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    assert visit.complaints == []


@on_a_phone
def test_another_sound_is_added_on_a_phone(visit: Visit, asset: Asset) -> None:
    page = visit.page
    other = take_in(visit.web.services, 2.0)
    press(visit, "Add another sound")
    page.get_by_role("dialog").get_by_role("button", name="0:02").click()
    expect(cards(visit)).to_have_count(2)
    expect(page.locator("[data-tab][aria-pressed=true]")).to_have_attribute("data-tab", other.id)
    page.locator("[data-wave]").scroll_into_view_if_needed()
    handle = page.get_by_role("slider", name="Clip 2 fade out").bounding_box()
    assert handle
    page.mouse.move(handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2)
    page.mouse.down()
    page.mouse.move(handle["x"] - 80, handle["y"], steps=3)
    page.mouse.up()
    press(visit, "Earlier clip 2")
    expect(cards(visit).nth(0).get_by_text("0:02.000 long")).to_be_visible()
    assert float(field(visit, "Fade out").input_value()) > 0.3
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert visit.complaints == []


def test_moves_of_a_recipe_are_exact(visit: Visit, asset: Asset) -> None:
    tell = """([move, from, to]) => import('/static/js/edit/recipe.js').then((moves) => {
      const clip = { volume: 1, fadeIn: 1, fadeOut: 2, startTime: 0 };
      const first = { ...clip, id: 'clip-1', sourceAssetId: 'a', endTime: 10 };
      const second = { ...clip, id: 'clip-2', sourceAssetId: 'b', endTime: 3 };
      const { clips } = moves[move]({ clips: [first, second] }, 'a', from, to);
      return clips.map((c) => [c.id, c.startTime, c.endTime, c.fadeIn, c.fadeOut]);
    })"""
    other = ["clip-2", 0, 3, 1, 2]

    def clips(move: str, start: float, end: float) -> list[list[object]]:
        return visit.page.evaluate(tell, [move, start, end])  # type: ignore[no-any-return]

    assert clips("cutOut", 4, 5) == [["clip-1", 0, 4, 1, 0], ["clip-3", 5, 10, 0, 2], other]
    assert clips("cutOut", 0, 9) == [["clip-1", 9, 10, 0, 1], other]
    assert clips("cutOut", 6, 6) == [["clip-1", 0, 6, 1, 0], ["clip-3", 6, 10, 0, 2], other]
    assert clips("keepOnly", 4, 6.5) == [["clip-1", 4, 6.5, 1, 1.5], other]
    assert clips("keepOnly", 11, 12) == [other]
    read = "text => import('/static/js/edit/time.js').then(({ readTime }) => readTime(text))"
    times = ["62.5", "1:02,5", "1:00:02", ".5", "", "1:", "a", "1:2:3:4", "-1"]
    assert [visit.page.evaluate(read, text) for text in times] == [62.5, 62.5, 3602, 0.5, *[None] * 5]
