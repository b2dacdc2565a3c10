"""What the browser may load: the files of one composition. Every other request is refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

from playwright.async_api import Route

from ethereal.errors import InvalidConfigError, MissingPlanArtifactError
from ethereal.render.capture.within_reach import read_within_reach

ORIGIN = "https://ethereal.invalid"  # secure, as the private file system asks; no such host can exist
DRAWING_PAGE = f"{ORIGIN}/composition/draw.html"

_POLICY = (
    "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; "
    "img-src 'self' blob: data:; font-src 'self' data:"
)
_TYPES = {".html": "text/html", ".js": "text/javascript", ".json": "application/json"}
_FEATURES = ("features.json", "features.f32")
_REQUIRED = ("composition.json", *_FEATURES, "composition/draw.html")


class Site:
    """Answers the browser's requests; `refuse` is told each address that is not part of the composition."""

    def __init__(self, directory: Path, refuse: Callable[[str], None]) -> None:
        self._files = {
            f"{ORIGIN}/{path.relative_to(directory).as_posix()}": path for path in _parts(directory)
        }
        self._within = read_within_reach(directory)
        self._refuse = refuse

    async def answer(self, route: Route) -> None:
        path = self._files.get(route.request.url)
        if path is None:
            self._refuse(route.request.url)
            await route.abort("blockedbyclient")
            return
        headers = {"Content-Security-Policy": _POLICY}
        content_type = _TYPES.get(path.suffix, "application/octet-stream")
        await route.fulfill(body=self._read(path), content_type=content_type, headers=headers)

    def _read(self, path: Path) -> bytes:
        if self._within is None or path.name not in _FEATURES:
            return path.read_bytes()
        return self._within.description if path.suffix == ".json" else self._within.rows(path.read_bytes())


def read_frame_size(directory: Path) -> tuple[int, int]:
    """Width and height in pixels from composition.json.

    Raises MissingPlanArtifactError when the directory lacks a part, InvalidConfigError for nonsense.
    """
    for name in _REQUIRED:
        if not (directory / name).is_file():
            raise MissingPlanArtifactError(f"no {name} in {directory}")
    try:
        composition = json.loads((directory / "composition.json").read_bytes())
        return int(composition["width"]), int(composition["height"])
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidConfigError(f"composition.json: {error!r}") from error


def _parts(directory: Path) -> Iterator[Path]:
    yield from (directory / name for name in _REQUIRED[:3])
    yield from (path for path in (directory / "composition").rglob("*") if path.is_file())
