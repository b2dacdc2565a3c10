"""Static files, and the scenes: the same modules that the renderer draws with, for the live preview."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Response, send_from_directory
from werkzeug.exceptions import NotFound

from ethereal.scenes import SCENES
from web import access

blueprint = Blueprint("assets", __name__)

_STATIC = Path(__file__).parent / "static"
_SCENE_KINDS = frozenset({".js", ".json"})
#: Browsers ask again each time and mostly hear that nothing changed: modules of two versions never mix.
_KEEP_SECONDS = 0


@blueprint.get("/static/<path:filename>")
@access.public
def static(filename: str) -> Response:
    return send_from_directory(_STATIC, filename, max_age=_KEEP_SECONDS)


@blueprint.get("/scenes/<path:path>")
@access.public
def scene(path: str) -> Response:
    if Path(path).suffix not in _SCENE_KINDS:
        raise NotFound
    return send_from_directory(SCENES, path, max_age=_KEEP_SECONDS)


@blueprint.get("/favicon.ico")
@access.public
def icon() -> Response:
    return send_from_directory(_STATIC, "icon.svg", max_age=_KEEP_SECONDS)
