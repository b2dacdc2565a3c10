"""A headless Chromium with one drawing page, living on a thread of its own.

Playwright runs in that thread's event loop. So whatever is raised into the caller, at any moment (a time
limit, the end of the process), cannot break it half-way; and what goes wrong in the page is known while the
caller waits for frames.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import BrowserContext, Page, Playwright, async_playwright
from playwright.async_api import Error as PlaywrightError

from ethereal.errors import BrowserCrashedError, RenderError, SceneFailedError
from ethereal.render.capture.driver import GlDriver
from ethereal.render.capture.executable import find_chromium
from ethereal.render.capture.profile import SHARED_MEMORY
from ethereal.render.capture.ring import RingSize
from ethereal.render.capture.site import DRAWING_PAGE, Site
from ethereal.render.capture.watch import Expectations, read_expectations

_START_SECONDS = 60.0
_JOIN_SECONDS = 15.0

_FLAGS = (
    "--disable-gpu-watchdog",  # a software driver may take long over one frame
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-domain-reliability",
    "--disable-sync",
    "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND",  # the site is answered before any look-up
    "--mute-audio",
    "--no-first-run",
    "--no-pings",
)


@dataclass(frozen=True)
class Launch:
    """All that decides how the browser is started."""

    profile: Path
    driver: GlDriver
    executable: Path | None

    @property
    def user_data(self) -> Path:
        return self.profile / "data"


@dataclass(frozen=True)
class Staging:
    """What its page draws; `patience` is the seconds the page may take to open."""

    directory: Path
    ring: RingSize
    patience: float


@dataclass(frozen=True)
class Opened:
    """What the page tells of itself once the scene is open."""

    gl_renderer: str
    browser_version: str
    expects: Expectations
    has_alpha: bool


class Browser:
    """Starts at once, shows one page. `failure` is set as soon as the page cannot draw any more."""

    def __init__(self, launch: Launch) -> None:
        self.failure: RenderError | None = None
        self._launch = launch
        self._patience = 0.0
        self._opened: Future[Opened] = Future()
        self._closing = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._staged: asyncio.Future[Staging] = self._loop.create_future()
        self._thread = threading.Thread(target=self._run, name="browser", daemon=True)
        self._thread.start()

    @property
    def user_data(self) -> Path:
        return self._launch.user_data

    def open(self, staging: Staging) -> Opened:
        """Open the page, once, and wait until it can draw, or raise what keeps it from it."""
        self._patience = staging.patience
        with suppress(RuntimeError):  # the loop has ended by itself
            self._loop.call_soon_threadsafe(self._staged.set_result, staging)
        try:
            return self._opened.result(_START_SECONDS + staging.patience + _JOIN_SECONDS)
        except TimeoutError as error:
            raise BrowserCrashedError("the browser does not start") from error

    def settle(self) -> None:
        """Wait until the page has told all that went wrong in it so far."""
        if self.failure is not None:
            return
        try:
            asyncio.run_coroutine_threadsafe(self._settle(), self._loop).result(self._patience)
        except TimeoutError as error:
            raise SceneFailedError("the page does not answer") from error

    def fail(self, failure: RenderError) -> None:
        """Keep the first failure: the ones after it follow from it."""
        self.failure = self.failure or failure

    def close(self) -> None:
        """End the browser; when this returns no process of it runs."""
        with suppress(RuntimeError):  # the loop has ended by itself
            self._loop.call_soon_threadsafe(self._closing.set)
        self._thread.join(_JOIN_SECONDS)
        _kill(self._launch.user_data)

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
                runner.run(self._live())
        except (PlaywrightError, OSError) as error:
            self.fail(BrowserCrashedError(f"the browser failed: {error}"))
        except RenderError as error:
            self.fail(error)
        finally:
            self.fail(ended := BrowserCrashedError("the browser ended"))
            if not self._opened.done():
                self._opened.set_exception(self.failure or ended)

    async def _live(self) -> None:
        async with async_playwright() as playwright:  # never cancelled half-way: its driver would stay
            drawing = asyncio.ensure_future(self._draw(playwright))
            closing = asyncio.ensure_future(self._closing.wait())
            await asyncio.wait({drawing, closing}, return_when=asyncio.FIRST_COMPLETED)
            drawing.cancel()
            with suppress(asyncio.CancelledError):
                await drawing

    async def _draw(self, playwright: Playwright) -> None:
        context = await _launch(playwright, self._launch)
        try:
            self._opened.set_result(await self._open(context, await self._staged))
            await asyncio.Event().wait()  # until cancelled; the page's events come in meanwhile
        except RenderError as error:
            self.fail(error)  # before the browser closes, which is another failure
            raise
        finally:  # asked to close, it would take a second over a profile that nobody reads again
            await asyncio.to_thread(_kill, self._launch.user_data)

    async def _open(self, context: BrowserContext, staging: Staging) -> Opened:
        self._page = page = context.pages[0]
        self._listen(context, page)
        await context.route("**/*", Site(staging.directory, self._refuse).answer)
        try:
            async with asyncio.timeout(staging.patience):
                return await self._open_page(context, page, staging.ring)
        except PlaywrightError as error:
            raise self._reason(page, error) from error
        except TimeoutError as error:
            raise SceneFailedError(f"the scene did not open within {staging.patience} s") from error

    async def _open_page(self, context: BrowserContext, page: Page, ring: RingSize) -> Opened:
        await page.goto(DRAWING_PAGE, timeout=0)
        self._launch.driver.check(await page.evaluate("driverName()"))
        file = {"name": self._launch.profile.name, "count": ring.slots}
        told = await page.evaluate("ring => openDrawing(ring)", file)
        self._launch.driver.check(told["glRenderer"])
        session = await context.new_cdp_session(page)
        version = await session.send("Browser.getVersion")
        expects = read_expectations(told["expects"])
        return Opened(told["glRenderer"], version["product"], expects, told["hasAlpha"])

    async def _settle(self) -> None:
        with suppress(PlaywrightError):  # a page that is gone has said so
            await self._page.evaluate("settleDrawing()")

    def _listen(self, context: BrowserContext, page: Page) -> None:
        page.on("pageerror", lambda error: self.fail(SceneFailedError(error.message)))
        page.on("crash", lambda _: self.fail(BrowserCrashedError("the page crashed")))
        context.on("close", lambda _: self.fail(BrowserCrashedError("the browser closed")))

    def _refuse(self, address: str) -> None:
        self.fail(SceneFailedError(f"the scene asked for {address}, which is not part of the composition"))

    def _reason(self, page: Page, error: PlaywrightError) -> RenderError:
        if self.failure is not None:
            return self.failure
        return (BrowserCrashedError if page.is_closed() else SceneFailedError)(error.message)


@contextmanager
def open_browser(launch: Launch) -> Iterator[Browser]:
    """A browser that is being started; ended, with all its processes, on the way out."""
    browser = Browser(launch)
    try:
        yield browser
    finally:
        browser.close()


def _kill(user_data: Path) -> None:
    from ethereal.render.capture.kill import kill_browser  # psutil would hold up the start

    kill_browser(user_data)


async def _launch(playwright: Playwright, launch: Launch) -> BrowserContext:
    executable = find_chromium(launch.executable, Path(playwright.chromium.executable_path))
    has_shared_memory = launch.profile.parent == SHARED_MEMORY
    return await playwright.chromium.launch_persistent_context(
        launch.user_data,
        executable_path=executable,
        args=[*_FLAGS, *launch.driver.flags],
        ignore_default_args=["--disable-dev-shm-usage"] if has_shared_memory else None,
        chromium_sandbox=False,  # it fails as root and in most containers; the page runs our scenes, offline
        env={"HOME": str(launch.profile), "PATH": os.defpath, "LANG": "C.UTF-8", **launch.driver.environment},
        handle_sigint=False,  # the caller decides when the browser ends
        handle_sigterm=False,
        handle_sighup=False,
        viewport={"width": 64, "height": 64},  # the page shows nothing
        service_workers="block",
        timeout=_START_SECONDS * 1000,
    )
