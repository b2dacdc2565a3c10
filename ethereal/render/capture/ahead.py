"""A browser started before there is anything to draw: it takes half a second, which others can use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from ethereal.errors import RendererMismatchError
from ethereal.render.capture.browser import Browser
from ethereal.render.capture.chromium import open_page, open_with, start_chromium
from ethereal.render.capture.driver import GlChoice, drivers_for
from ethereal.render.capture.ring import ring_size
from ethereal.render.renderer import Renderer


class ChromiumAhead:
    """An OpenRenderer whose first browser starts when the block begins; later ones when they are asked for.

    `width` and `height` are those of all that will be drawn; the rest as in `open_chromium_renderer`.
    """

    def __init__(
        self,
        width: int,
        height: int,
        *,
        executable: Path | None = None,
        gl: GlChoice = "auto",
        scratch: Path | None = None,
        patience: float = 60.0,
    ) -> None:
        self._size, self._drivers = ring_size(width, height), drivers_for(gl)
        self._executable, self._scratch, self._patience = executable, scratch, patience
        self._started = ExitStack()
        self._browser: Browser | None = None

    def __enter__(self) -> Self:
        starting = start_chromium(self._drivers[0], self._size, self._executable, self._scratch)
        self._browser = self._started.enter_context(starting)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._started.close()

    @contextmanager
    def __call__(self, directory: Path) -> Iterator[Renderer]:
        with ExitStack() as opened:
            yield self._take(directory, opened) or opened.enter_context(self._open(directory))

    def _take(self, directory: Path, opened: ExitStack) -> Renderer | None:
        """Open the page of the browser that was started; None where its driver is not what draws."""
        browser, self._browser = self._browser, None
        if browser is None:
            return None
        with self._started.pop_all() as started:
            try:
                renderer = started.enter_context(open_page(browser, directory, self._patience))
            except RendererMismatchError:
                if len(self._drivers) == 1:
                    raise
                self._drivers = self._drivers[1:]
                return None
            opened.push(started.pop_all())
        return renderer

    def _open(self, directory: Path) -> AbstractContextManager[Renderer]:
        return open_with(self._drivers, directory, self._executable, self._scratch, self._patience)
