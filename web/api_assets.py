"""/api/audio/assets: the sounds that were taken in, what is known of them, hearing them, deleting them."""

from __future__ import annotations

import json

from flask import Blueprint, redirect
from flask.typing import ResponseReturnValue

from ethereal.assets.model import Asset, AssetId
from ethereal.errors import NotFoundError
from ethereal.pipeline.library import delete_asset
from ethereal.services import Services
from ethereal.storage import keys
from ethereal.storage.keys import StorageKey
from ethereal.storage.store import PEOPLE
from web import access
from web.face import services, settings
from web.schemas import AssetsQuery, DeleteQuery, StreamQuery, read_query
from web.show import instant

blueprint = Blueprint("api_assets", __name__, url_prefix="/api/audio/assets")

_KEEP_SECONDS = 3600


@blueprint.get("")
@access.person_or_token
def list_assets() -> ResponseReturnValue:
    query = read_query(AssetsQuery)
    page = services().assets.list(limit=query.limit, cursor=query.cursor)
    return {
        "assets": [asset_json(asset) for asset in page.assets],
        "cursor": page.cursor,
        "diskUsage": _disk_usage(services()),
    }


@blueprint.get("/<asset_id>")
@access.person_or_token
def show(asset_id: str) -> ResponseReturnValue:
    asset = services().assets.get(AssetId(asset_id))
    edits = asset.prepared.recipe.model_dump(mode="json") if asset.prepared else None
    return {**asset_json(asset), "peaks": _peaks(services(), asset), "edits": edits}


@blueprint.delete("/<asset_id>")
@access.person_or_token
def delete(asset_id: str) -> ResponseReturnValue:
    delete_asset(services(), AssetId(asset_id), force=read_query(DeleteQuery).force)
    return {"deleted": asset_id}


@blueprint.get("/<asset_id>/stream")
@access.person_or_token
def stream(asset_id: str) -> ResponseReturnValue:
    """Lead to the sound itself, whose link serves ranges."""
    asset = services().assets.get(AssetId(asset_id))
    key = _variant(asset, read_query(StreamQuery).variant)
    link = services().objects.sign_get(key, lifetime=PEOPLE)
    answer = redirect(link.removeprefix(settings().base_url))  # here, whatever name this app was reached by
    answer.headers["Cache-Control"] = f"private, max-age={_KEEP_SECONDS}"
    return answer


def asset_json(asset: Asset) -> dict[str, object]:
    """What a client sees of an asset."""
    shown: dict[str, object] = {
        "assetId": asset.id,
        "originalFilename": asset.filename,
        "sourceHash": asset.sha256,
        "audio": asset.audio.model_dump(mode="json"),
        "provenance": asset.provenance.model_dump(mode="json", exclude_none=True),
        "createdAt": instant(asset.created_at),
        "updatedAt": instant(asset.updated_at),
    }
    if asset.prepared:
        shown["prepared"] = asset.prepared.model_dump(mode="json", exclude={"recipe", "key"})
    return shown


def _variant(asset: Asset, variant: str) -> StorageKey:
    if variant == "original":
        return asset.original
    if asset.prepared is None:
        raise NotFoundError(f"nothing was saved for asset {asset.id} yet")
    return asset.sound


def _peaks(services: Services, asset: Asset) -> object:
    key = keys.asset_peaks(asset.id)
    if not services.objects.exists(key):
        return None
    with services.objects.open(key) as stream:
        return json.load(stream)


def _disk_usage(services: Services) -> dict[str, object]:
    used = services.assets.bytes_used()
    return {
        "bytes": used,
        "mb": round(used / (1 << 20), 1),
        "quotaGB": services.limits.assets_bytes / (1 << 30),
    }
