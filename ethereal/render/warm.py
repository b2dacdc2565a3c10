"""One open renderer for a plan and its chunks: a browser takes longer to start than some chunks to draw."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from ethereal.beat import Beat, no_beat
from ethereal.render.canary import ProvenRenderer, prove
from ethereal.render.plan import Plan, PlanRequest, load_plan, make_plan
from ethereal.render.renderer import OpenRenderer, Renderer


class WarmRenderer:
    """An OpenRenderer that keeps what it opened, proven, for the next chunk of the same plan.

    After any error, and for another plan, it opens a fresh one. Not for use by two threads at once.
    """

    def __init__(self, open_renderer: OpenRenderer) -> None:
        self._open = open_renderer
        self._opened = ExitStack()
        self._kept: tuple[str, Renderer] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close what is open; the next call opens afresh."""
        self._kept = None
        self._opened.close()

    @contextmanager
    def __call__(self, plan_dir: Path) -> Iterator[Renderer]:
        with self._closed_by_errors():
            yield self._renderer(plan_dir)

    @contextmanager
    def last(self, plan_dir: Path) -> Iterator[Renderer]:
        """The same for the last run of frames: closed at its end, while the last frames are encoded."""
        with self(plan_dir) as renderer:
            yield ProvenRenderer(_LastRun(renderer, self.close), load_plan(plan_dir).plan_hash)

    def make_plan(self, request: PlanRequest, plan_dir: Path, *, beat: Beat = no_beat) -> Plan:
        """Make a plan and keep what drew its canary, which proves it for the chunks."""
        with self._closed_by_errors():
            self.close()
            opened: list[Renderer] = []

            @contextmanager
            def open_kept(directory: Path) -> Iterator[Renderer]:
                opened.append(self._opened.enter_context(self._open(directory)))
                yield opened[0]

            plan = make_plan(request, plan_dir, open_renderer=open_kept, beat=beat)
            self._kept = (plan.plan_hash, ProvenRenderer(opened[0], plan.plan_hash))
            return plan

    @contextmanager
    def _closed_by_errors(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self.close()
            raise

    def _renderer(self, plan_dir: Path) -> Renderer:
        plan = load_plan(plan_dir)
        if self._kept is None or self._kept[0] != plan.plan_hash:
            self.close()
            opened = self._opened.enter_context(self._open(plan_dir))
            self._kept = (plan.plan_hash, prove(opened, plan))
        return self._kept[1]


class _LastRun:
    """A renderer that draws once."""

    def __init__(self, renderer: Renderer, close: Callable[[], None]) -> None:
        self.gl_renderer, self.browser_version = renderer.gl_renderer, renderer.browser_version
        self._renderer, self._close = renderer, close

    def draw(self, frames: Sequence[int]) -> Iterator[memoryview]:
        yield from self._renderer.draw(frames)
        self._close()
