"""A browser that is kept between chunks, and goes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from ethereal.render.capture import open_chromium_renderer
from ethereal.render.chunk import render_chunk
from ethereal.render.kept import KeptRenderer
from ethereal.render.plan import make_plan
from tests.render_fakes import make_request
from tests.waiting import until


@pytest.fixture
def plan_dir(tmp_path: Path) -> Path:
    request = make_request(tmp_path / "in", frame_count=96, size=(160, 90), chunk_count=2)
    composition = replace(request.composition, scene="flame", parameters={})
    make_plan(
        replace(request, composition=composition), tmp_path / "plan", open_renderer=open_chromium_renderer
    )
    return tmp_path / "plan"


def browsers() -> set[int]:
    found = set()
    for process in psutil.Process().children(recursive=True):
        try:
            if "headless" in process.name():
                found.add(process.pid)
        except psutil.NoSuchProcess:
            continue
    return found


def test_one_browser_draws_all_chunks_of_a_plan_and_goes_when_idle(plan_dir: Path, tmp_path: Path) -> None:
    kept = KeptRenderer(open_chromium_renderer, idle=timedelta(seconds=1))
    seen = []
    for index in range(2):
        render_chunk(plan_dir, index, tmp_path / str(index), open_renderer=kept)
        seen.append(browsers())

    assert seen[0]
    assert seen[0] == seen[1], "the same browser drew both"
    until(lambda: not browsers())


def test_a_stop_while_drawing_closes_the_browser(plan_dir: Path, tmp_path: Path) -> None:
    kept = KeptRenderer(open_chromium_renderer)

    def stop(fraction: float) -> None:
        raise SystemExit

    with pytest.raises(SystemExit):
        render_chunk(plan_dir, 0, tmp_path / "0", open_renderer=kept, beat=stop)
    assert browsers() == set()
