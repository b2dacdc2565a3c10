"""One open renderer for many chunks: a browser takes longer to start than some chunks to draw."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from ethereal.render.canary import prove
from ethereal.render.plan import load_plan
from ethereal.render.renderer import OpenRenderer, Renderer


class WarmRenderer:
    """An OpenRenderer that keeps what it opened, proven, for the next chunk of the same plan.

    After any error, and for another plan, it opens a fresh one. Not for use by two threads at once.
    """

    def __init__(self, open_renderer: OpenRenderer) -> None:
        self._open = open_renderer
        self._opened = ExitStack()
        self._kept: tuple[Path, str, Renderer] | None = None

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
        try:
            yield self._renderer(plan_dir)
        except BaseException:
            self.close()
            raise

    def _renderer(self, plan_dir: Path) -> Renderer:
        plan = load_plan(plan_dir)
        if self._kept is None or self._kept[:2] != (plan_dir, plan.plan_hash):
            self.close()
            opened = self._opened.enter_context(self._open(plan_dir))
            self._kept = (plan_dir, plan.plan_hash, prove(opened, plan))
        return self._kept[2]
