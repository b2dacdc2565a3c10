"""A warm renderer that goes by itself: kept between the chunks of a plan, closed when nobody comes for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Lock, Timer

from ethereal.beat import Beat, no_beat
from ethereal.render.plan import Plan, PlanRequest
from ethereal.render.renderer import OpenRenderer, Renderer
from ethereal.render.warm import WarmRenderer

IDLE = timedelta(seconds=3)


class KeptRenderer:
    """An OpenRenderer for directories of plans. Whoever draws, draws alone; any error closes the browser."""

    def __init__(self, open_renderer: OpenRenderer, *, idle: timedelta = IDLE) -> None:
        self._warm = WarmRenderer(open_renderer)
        self._idle = idle.total_seconds()
        self._drawing = Lock()
        self._timer: Timer | None = None

    @contextmanager
    def __call__(self, plan_dir: Path) -> Iterator[Renderer]:
        with self._in_use(), self._warm(plan_dir) as renderer:
            yield renderer

    def make_plan(self, request: PlanRequest, plan_dir: Path, *, beat: Beat = no_beat) -> Plan:
        """Make a plan and keep the browser, which most often draws its chunks next."""
        with self._in_use():
            return self._warm.make_plan(request, plan_dir, beat=beat)

    def close(self) -> None:
        """Close the browser, if there is one; waits for who draws."""
        with self._drawing:
            self._stop_waiting()
            self._warm.close()

    @contextmanager
    def _in_use(self) -> Iterator[None]:
        with self._drawing:
            self._stop_waiting()
            yield
            self._timer = Timer(self._idle, self.close)
            self._timer.daemon = True
            self._timer.start()

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
