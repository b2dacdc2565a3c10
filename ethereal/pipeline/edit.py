"""The steps of an edit: its sound is made to be heard once (a preview), or to be kept (a save)."""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ethereal.assets.model import AssetId, AssetObject, HeardLoudness, Prepared
from ethereal.audio.edit import EditResult, render_recipe
from ethereal.errors import NotFoundError, UnavailableError
from ethereal.jobs.model import JobId
from ethereal.jobs.request import EditRecipe, EditRequest, Record
from ethereal.pipeline.attempt import Attempt, run_step
from ethereal.pipeline.sources import fetch_originals, find_sources
from ethereal.pipeline.submit_edit import PREVIEW, SAVE, preview_key
from ethereal.services import Services
from ethereal.storage import keys
from ethereal.storage.keys import StorageKey

logger = logging.getLogger(__name__)

_NO_QUOTA = 1 << 62  # what is there is there
_EXTENSIONS = {"wav": "wav", "aac": "m4a"}


class PreviewResult(Record):
    """What a preview came to; `duration_seconds` and `loudness` are told when it was made, not found."""

    preview_key: str
    cached: bool
    size_bytes: int
    duration_seconds: float | None = None
    loudness: HeardLoudness | None = None


class SaveResult(Record):
    """What a save came to."""

    asset_id: str
    prepared_key: str
    sha256: str
    size_bytes: int
    duration_seconds: float
    loudness: HeardLoudness | None = None


def preview(services: Services, job_id: JobId) -> bool:
    """Make the sound of a recipe as MP3, unless it was made before."""
    return run_step(services, job_id, PREVIEW, _preview)


def save(services: Services, job_id: JobId) -> bool:
    """Make the sound of a recipe and let it be the prepared sound of its asset."""
    return run_step(services, job_id, SAVE, _save)


def _preview(attempt: Attempt) -> None:
    services, recipe = attempt.services, attempt.job.asked(EditRequest).recipe
    sources = find_sources(services, recipe)
    key = preview_key(recipe, {source: asset.sha256 for source, asset in sources.items()})
    if services.objects.exists(key):
        size = services.objects.stat(key).size
        attempt.finish(PreviewResult(preview_key=key, cached=True, size_bytes=size).model_dump(mode="json"))
        return
    originals = fetch_originals(
        services, sources.values(), attempt.folder, beat=attempt.beat("downloading", 10, 25)
    )
    made = render_recipe(
        recipe,
        originals,
        attempt.folder / "preview.mp3",
        preview=True,
        beat=attempt.beat("rendering", 30, 90),
    )
    attempt.beat("uploading", 90, 90)(1.0)
    with _noted(services, recipe, [AssetObject(key, made.size, cached=True)]):
        services.objects.put(key, made.path)
    result = PreviewResult(
        preview_key=key,
        cached=False,
        size_bytes=made.size,
        duration_seconds=float(made.duration),
        loudness=_heard(made),
    )
    attempt.finish(result.model_dump(mode="json"))


def _save(attempt: Attempt) -> None:
    services, recipe = attempt.services, attempt.job.asked(EditRequest).recipe
    sources = find_sources(services, recipe)
    originals = fetch_originals(
        services, sources.values(), attempt.folder, beat=attempt.beat("downloading", 5, 15)
    )
    output = attempt.folder / f"prepared.{_EXTENSIONS[recipe.output_format]}"
    made = render_recipe(recipe, originals, output, beat=attempt.beat("rendering", 20, 80))
    prepared = _keep(attempt, recipe, made)
    result = SaveResult(
        asset_id=recipe.asset_id,
        prepared_key=prepared.key,
        sha256=prepared.sha256,
        size_bytes=prepared.size_bytes,
        duration_seconds=prepared.duration,
        loudness=prepared.loudness,
    )
    attempt.finish(result.model_dump(mode="json"))


def _keep(attempt: Attempt, recipe: EditRecipe, made: EditResult) -> Prepared:
    """Put the new sound in place of the old one, which stays until the new one is whole."""
    services, edits = attempt.services, attempt.folder / "edits.json"
    edits.write_text(json.dumps(recipe.model_dump(mode="json")))
    key = keys.asset_prepared(recipe.asset_id, made.path.suffix.removeprefix("."))
    edits_key = keys.asset_edits(recipe.asset_id)
    prepared = Prepared(
        key=key,
        sha256=made.sha256,
        size_bytes=made.size,
        duration=float(made.duration),
        loudness=_heard(made),
        recipe=recipe,
    )
    uploading = attempt.beat("uploading", 80, 95)
    with _noted(services, recipe, [AssetObject(key, made.size), AssetObject(edits_key, _size(edits))]):
        services.objects.put(edits_key, edits, beat=uploading)
        services.objects.put(key, made.path, beat=uploading)
        services.assets.prepare(AssetId(recipe.asset_id), prepared, now=services.clock())
    attempt.beat("finalizing", 95, 95)(1.0)
    others = {keys.asset_prepared(recipe.asset_id, extension) for extension in _EXTENSIONS.values()}
    _remove(services, others - {key})
    return prepared


@contextmanager
def _noted(services: Services, recipe: EditRecipe, objects: Sequence[AssetObject]) -> Iterator[None]:
    """Note objects before they are put: what is put is always counted, and goes with its asset."""
    asset_id = AssetId(recipe.asset_id)
    try:
        services.assets.note(asset_id, objects, quota=services.limits.assets_bytes, now=services.clock())
        yield
    except BaseException:
        _settle(services, asset_id, objects)
        raise


def _settle(services: Services, asset_id: AssetId, objects: Sequence[AssetObject]) -> None:
    """Let what is noted be what there is, after something went wrong between the two."""
    try:
        for kept in objects:
            _settle_one(services, asset_id, kept)
    except UnavailableError as error:
        logger.warning("what asset %s takes is not known exactly: %s", asset_id, error)


def _settle_one(services: Services, asset_id: AssetId, kept: AssetObject) -> None:
    try:
        there = AssetObject(kept.key, services.objects.stat(kept.key).size, kept.cached)
    except NotFoundError:
        services.assets.drop([kept.key])
        return
    try:
        services.assets.note(asset_id, [there], quota=_NO_QUOTA, now=services.clock())
    except NotFoundError:  # the asset was deleted meanwhile
        _remove(services, [kept.key])


def _remove(services: Services, gone: Collection[StorageKey]) -> None:
    for key in gone:
        services.objects.delete(key)
    services.assets.drop(gone)


def _heard(made: EditResult) -> HeardLoudness | None:
    return HeardLoudness(**made.loudness.model_dump(by_alias=False)) if made.loudness else None


def _size(path: Path) -> int:
    return path.stat().st_size
