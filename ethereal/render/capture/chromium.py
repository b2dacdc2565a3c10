"""The renderer that draws in headless Chromium."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from ethereal.errors import RendererMismatchError, RenderError, SceneFailedError
from ethereal.render.capture.browser import Browser, Launch, Opened, Staging, open_browser
from ethereal.render.capture.driver import GlChoice, GlDriver, drivers_for
from ethereal.render.capture.profile import open_profile
from ethereal.render.capture.ring import Ring, RingSize, open_ring, ring_size
from ethereal.render.capture.site import read_frame_size
from ethereal.render.capture.watch import FrameWatch
from ethereal.render.renderer import Renderer

_POLL_SECONDS = 0.002  # the page draws ahead meanwhile: waiting coarsely costs no frame


class ChromiumRenderer:
    """An open page and its ring. One run of frames at a time: a new `draw` ends the one before it."""

    def __init__(self, browser: Browser, opened: Opened, ring: Ring, patience: float) -> None:
        self.gl_renderer = opened.gl_renderer
        self.browser_version = opened.browser_version
        self._opened = opened
        self._browser = browser
        self._ring = ring
        self._patience = patience
        self._run_start = 0

    def draw(self, frames: Sequence[int]) -> Iterator[memoryview]:
        """See Renderer. The page draws ahead, into every free slot, while the caller looks at a frame."""
        ring, start = self._ring, self._start_run()
        watch: FrameWatch | None = None
        for frame in frames[: ring.slots]:
            ring.order(frame)
        for offset, frame in enumerate(frames):
            self._wait_for(start + offset, start)
            pixels = ring.frame(start + offset)
            watch = watch or self._watch(len(pixels))
            watch.look(frame, pixels)
            yield pixels
            if offset + ring.slots < len(frames):
                ring.order(frames[offset + ring.slots])
        self._browser.settle()
        self._check(start)

    def _watch(self, frame_bytes: int) -> FrameWatch:
        return FrameWatch(self._opened.expects, frame_bytes, has_alpha=self._opened.has_alpha)

    def _start_run(self) -> int:
        self._ring.withdraw()
        self._run_start = self._ring.ordered
        return self._run_start

    def _wait_for(self, sequence: int, start: int) -> None:
        deadline, written = time.monotonic() + self._patience, self._ring.written
        while self._ring.written <= sequence:
            self._check(start)
            if self._ring.written != written:
                deadline, written = time.monotonic() + self._patience, self._ring.written
            if time.monotonic() > deadline:
                raise SceneFailedError(f"the scene drew nothing for {self._patience} s")
            time.sleep(_POLL_SECONDS)
        self._check(start)

    def _check(self, start: int) -> None:
        if self._browser.failure is not None:
            raise self._browser.failure
        if start != self._run_start:
            raise RenderError("another run of frames was begun on this renderer")


@contextmanager
def open_chromium_renderer(
    directory: Path,
    *,
    executable: Path | None = None,
    gl: GlChoice = "auto",
    scratch: Path | None = None,
    patience: float = 60.0,
) -> Iterator[Renderer]:
    """Draw the composition in `directory` in headless Chromium; on the way out browser and profile are gone.

    Takes `executable`, or else Playwright's Chromium, or else the one on PATH. `gl="auto"` takes the system's
    GL (a GPU or Mesa's llvmpipe) and falls back to SwiftShader; any other choice is kept or refused. The
    profile lies on /dev/shm when that has room, else in `scratch`. `patience`: seconds without progress.

    Raises MissingPlanArtifactError, InvalidConfigError, RendererMismatchError, SceneFailedError,
    BrowserCrashedError, OutOfDiskError.
    """
    with open_with(drivers_for(gl), directory, executable, scratch, patience) as renderer:
        yield renderer


@contextmanager
def open_with(
    drivers: Sequence[GlDriver],
    directory: Path,
    executable: Path | None,
    scratch: Path | None,
    patience: float,
) -> Iterator[Renderer]:
    """Draw with the first of `drivers` that this machine has."""
    size = ring_size(*read_frame_size(directory))
    with ExitStack() as stack:
        for driver in drivers:
            try:
                with ExitStack() as opening:
                    browser = opening.enter_context(start_chromium(driver, size, executable, scratch))
                    renderer = opening.enter_context(open_page(browser, directory, patience))
                    stack.push(opening.pop_all())
            except RendererMismatchError:
                if driver is drivers[-1]:
                    raise
            else:
                break
        yield renderer


@contextmanager
def start_chromium(
    driver: GlDriver, size: RingSize, executable: Path | None, scratch: Path | None
) -> Iterator[Browser]:
    """A browser that is being started, with room for a ring of `size`."""
    with (
        open_profile(size.bytes, scratch) as profile,
        open_browser(Launch(profile, driver, executable)) as browser,
    ):
        yield browser


@contextmanager
def open_page(browser: Browser, directory: Path, patience: float) -> Iterator[ChromiumRenderer]:
    """Let `browser` draw the composition in `directory`."""
    size = ring_size(*read_frame_size(directory))
    opened = browser.open(Staging(directory, size, patience))
    with open_ring(browser.user_data, size) as ring:
        yield ChromiumRenderer(browser, opened, ring, patience)
