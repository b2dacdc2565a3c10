"""The sound of a render on this host: an upload, an asset, the edit of one, or what lies at an address."""

from __future__ import annotations

from pathlib import Path

from ethereal.assets.model import AssetId
from ethereal.audio.edit import render_recipe
from ethereal.audio.source import fetch_url
from ethereal.beat import Beat
from ethereal.errors import NotFoundError
from ethereal.jobs.model import JobId
from ethereal.jobs.request import EditRecipe, RenderRequest
from ethereal.pipeline.source_file import fetch_limits
from ethereal.pipeline.sources import fetch_originals, find_sources
from ethereal.pipeline.upload import look_at
from ethereal.services import Services
from ethereal.storage import keys
from ethereal.storage.keys import extension_of, read_upload_key


def fetch_sound(
    services: Services, job_id: JobId, request: RenderRequest, folder: Path, *, beat: Beat
) -> Path:
    """Return the file in `folder` that a render sounds like."""
    if request.recipe is not None:
        return _edited(services, request.recipe, folder, beat)
    if request.asset_id is not None:
        return _of_asset(services, AssetId(request.asset_id), folder, beat)
    if request.audio_url:
        return _of_address(services, job_id, request.audio_url, folder, beat)
    source = folder / f"source.{extension_of(request.filename)}"
    return services.objects.fetch(read_upload_key(request.audio_key), source, beat=beat)


def _edited(services: Services, recipe: EditRecipe, folder: Path, beat: Beat) -> Path:
    sources = find_sources(services, recipe).values()
    originals = fetch_originals(services, sources, folder, beat=lambda fraction: beat(fraction / 2))
    lossless = recipe.model_copy(update={"output_format": "wav"})
    output = folder / "edited.wav"
    return render_recipe(lossless, originals, output, beat=lambda fraction: beat((1 + fraction) / 2)).path


def _of_asset(services: Services, asset_id: AssetId, folder: Path, beat: Beat) -> Path:
    key = services.assets.get(asset_id).sound
    try:
        return services.objects.fetch(key, folder / f"source.{extension_of(key)}", beat=beat)
    except NotFoundError:
        if (now := services.assets.get(asset_id).sound) == key:
            raise
        # another edit was saved in the meantime
        return services.objects.fetch(now, folder / f"source.{extension_of(now)}", beat=beat)


def _of_address(services: Services, job_id: JobId, url: str, folder: Path, beat: Beat) -> Path:
    """What an address gives is kept until it is prepared: asked again it might give something else."""
    key, source = keys.render_source(job_id), folder / "source.bin"
    if services.objects.exists(key):
        return services.objects.fetch(key, source, beat=beat)
    fetch_url(url, source, limits=fetch_limits(services), rule=services.rule, beat=beat)
    look_at(services, source)
    services.objects.put(key, source)
    return source
