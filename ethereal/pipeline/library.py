"""Assets that are to go: somebody says so, nobody asked for them in a long time, or they are nobody's."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from ethereal.assets.model import AssetId
from ethereal.errors import ConflictError, EtherealError, UnavailableError
from ethereal.jobs.model import LIVE_STATUSES, Job, JobType
from ethereal.jobs.request import EditRecipe, EditRequest, JobRequest, RenderRequest
from ethereal.services import Services
from ethereal.storage import keys
from ethereal.storage.keys import StorageKey

logger = logging.getLogger(__name__)

_ASSETS = StorageKey("assets/")


def delete_asset(services: Services, asset_id: AssetId, *, force: bool = False) -> None:
    """Forget an asset and remove its objects.

    Raise NotFoundError, or ConflictError while a recipe or a job that goes on uses it, unless forced.
    """
    services.assets.get(asset_id)
    if not force and any(asset_id in assets_of(job.request) for job in live_jobs(services)):
        raise ConflictError(f"asset {asset_id} is used by a job that has not ended")
    services.assets.delete(asset_id, force=force)
    services.objects.delete_prefix(keys.asset_folder(asset_id))


def assets_of(request: JobRequest) -> frozenset[AssetId]:
    """The assets that a job reads or writes."""
    match request:
        case EditRequest(recipe=recipe) | RenderRequest(recipe=EditRecipe() as recipe):
            return frozenset(map(AssetId, recipe.sources | {recipe.asset_id}))
        case RenderRequest(asset_id=str(asset_id)):
            return frozenset({AssetId(asset_id)})
        case _:
            return frozenset()


def live_jobs(services: Services, type_: JobType | None = None) -> Iterator[Job]:
    """Every job that has not ended, of this type if one is named."""
    for status in LIVE_STATUSES:
        cursor: int | None = None
        while True:
            page = services.jobs.list(status=status, type_=type_, limit=500, cursor=cursor)
            yield from page.jobs
            if (cursor := page.cursor) is None:
                break


def sweep_assets(services: Services) -> int:
    """Remove assets that nobody asked for in a long time, old previews, and objects of no asset."""
    try:
        return _sweep_unused(services) + _sweep_previews(services) + _sweep_orphans(services)
    except UnavailableError as error:
        logger.warning("assets are swept another time: %s", error)
        return 0


def _sweep_unused(services: Services) -> int:
    swept = 0
    for asset_id in services.assets.unused(before=services.clock() - services.limits.assets_kept):
        try:
            delete_asset(services, asset_id)
            swept += 1
        except UnavailableError:
            raise
        except EtherealError as error:
            logger.info("asset %s stays: %s", asset_id, error)
    return swept


def _sweep_previews(services: Services) -> int:
    old = services.assets.cached(before=services.clock() - services.limits.previews_kept)
    for key in old:
        services.objects.delete(key)
    services.assets.drop(old)
    return len(old)


def _sweep_orphans(services: Services) -> int:
    """Objects are put before their asset is added: those older than any step may run are nobody's."""
    limits = services.limits
    oldest = services.clock() - 2 * max(limits.ingest, limits.preview, limits.save)
    ids = {
        AssetId(keys.asset_of(facts.key))
        for facts in services.objects.list(_ASSETS)
        if facts.modified_at < oldest
    }
    orphans = ids - services.assets.known(ids)
    for asset_id in orphans:
        services.objects.delete_prefix(keys.asset_folder(asset_id))
    return len(orphans)
