"""GET /api/templates and /api/formats: what can be chosen."""

from __future__ import annotations

from flask import Blueprint, url_for
from flask.typing import ResponseReturnValue

from ethereal.render.containers import TRANSPARENT
from web import access, catalog

blueprint = Blueprint("api_catalog", __name__, url_prefix="/api")


@blueprint.get("/templates")
@access.person_or_token
def list_templates() -> ResponseReturnValue:
    return {"templates": [_template(card) for card in catalog.template_cards()]}


@blueprint.get("/formats")
@access.person_or_token
def list_formats() -> ResponseReturnValue:
    return {
        "formats": [
            {
                "id": card.id,
                "name": card.name,
                "hint": card.hint,
                "width": card.width,
                "height": card.height,
                "projection": card.projection,
            }
            for card in catalog.format_cards()
        ],
        "fps": list(catalog.FPS),
        "qualities": [
            {"id": quality, "name": name, "hint": hint} for quality, name, hint in catalog.quality_names()
        ],
        "containers": [
            {"id": container, "name": name, "hint": hint, "transparent": container in TRANSPARENT}
            for container, name, hint in catalog.container_names()
        ],
    }


def _template(card: catalog.TemplateCard) -> dict[str, object]:
    picture = url_for("assets.static", filename=card.picture) if card.picture else None
    return {
        "id": card.id,
        "name": card.name,
        "description": card.description,
        "scene": card.scene,
        "sceneUrl": url_for("assets.scene", path=f"{card.scene}/scene.js"),
        "parameters": card.parameters,
        "pictureUrl": picture,
    }
