"""A browser started before there is anything to draw."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from ethereal.errors import MissingPlanArtifactError, RendererMismatchError
from ethereal.render.capture import ChromiumAhead, ahead, open_chromium_renderer
from ethereal.render.capture.driver import drivers_for
from ethereal.render.capture.probe import stage_card


@pytest.fixture
def card(tmp_path: Path) -> Path:
    stage_card(tmp_path, width=160, height=90, loudness=(1.0,) * 4)
    return tmp_path


def browsers() -> list[str]:
    return [
        process.name() for process in psutil.Process().children(recursive=True) if "chrom" in process.name()
    ]


def pixels(open_renderer: object, directory: Path) -> list[bytes]:
    with open_renderer(directory) as renderer:  # type: ignore[operator]
        return [bytes(view) for view in renderer.draw(range(4))]


def test_it_draws_what_any_browser_draws_the_second_time_too(card: Path) -> None:
    with ChromiumAhead(160, 90) as started:
        first, second = pixels(started, card), pixels(started, card)

    assert first == second == pixels(open_chromium_renderer, card)
    assert not browsers()


def test_a_block_that_never_draws_leaves_no_browser() -> None:
    with ChromiumAhead(160, 90):
        pass

    assert not browsers()


def test_a_page_that_does_not_open_leaves_no_browser(tmp_path: Path) -> None:
    with ChromiumAhead(160, 90) as started, pytest.raises(MissingPlanArtifactError):
        pixels(started, tmp_path)

    assert not browsers()


def test_a_driver_that_does_not_draw_gives_way_to_the_next(
    card: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (best, *_) = drivers_for("auto")
    nobody = replace(best, accepts=lambda name: False)
    monkeypatch.setattr(ahead, "drivers_for", lambda choice: (nobody, best))

    with ChromiumAhead(160, 90) as started:
        drawn = pixels(started, card)

    assert drawn == pixels(open_chromium_renderer, card)
    assert not browsers()


def test_a_driver_that_does_not_draw_is_refused_when_it_was_the_only_choice(
    card: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody = replace(drivers_for("auto")[0], accepts=lambda name: False)
    monkeypatch.setattr(ahead, "drivers_for", lambda choice: (nobody,))

    with ChromiumAhead(160, 90) as started, pytest.raises(RendererMismatchError):
        pixels(started, card)

    assert not browsers()
