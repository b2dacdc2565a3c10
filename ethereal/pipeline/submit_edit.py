"""Taking edits in: the recipe is checked against its sources at once, and heard at once if it was before."""

from __future__ import annotations

from contextlib import suppress

from ethereal.audio.pieces import preview_key_hash
from ethereal.errors import ConflictError, NotFoundError
from ethereal.jobs.model import Job, JobType, Sender, StepKey, StepName
from ethereal.jobs.request import EditRecipe, EditRequest
from ethereal.pipeline.cancel import cancel, delete
from ethereal.pipeline.library import live_jobs
from ethereal.pipeline.sources import find_sources
from ethereal.pipeline.store_job import NOBODY, store_job
from ethereal.pipeline.submit_audio import check_room
from ethereal.services import Services
from ethereal.storage import keys
from ethereal.storage.keys import StorageKey

PREVIEW = StepKey(StepName.PREVIEW_EDIT)
SAVE = StepKey(StepName.SAVE_EDIT)


def submit_preview(services: Services, recipe: EditRecipe, sender: Sender = NOBODY) -> tuple[Job, bool]:
    """Store a preview and return its job, and whether the very sound is there already.

    Raise InvalidInputError for a recipe that breaks a rule, NotFoundError when its asset is gone,
    QuotaExceededError when the library is full.
    """
    key = _checked(services, recipe)
    is_there = services.objects.exists(key)
    if not is_there:
        check_room(services)
    request = EditRequest(recipe=recipe)
    return store_job(services, JobType.PREVIEW, request, PREVIEW, sender), is_there


def submit_save(services: Services, recipe: EditRecipe, sender: Sender = NOBODY) -> Job:
    """Store a save and return its job.

    Raise as `submit_preview` does, and ConflictError while another recipe is being saved for the asset.
    """
    _checked(services, recipe)
    check_room(services)
    _ensure_alone(services, recipe)
    job = store_job(services, JobType.SAVE, EditRequest(recipe=recipe), SAVE, sender)
    try:
        _ensure_alone(services, recipe, before=job.sequence)
    except ConflictError:
        _withdraw(services, job)
        raise
    return job


def _ensure_alone(services: Services, recipe: EditRecipe, *, before: int | None = None) -> None:
    """Raise ConflictError while another recipe is being saved for the asset, by a job stored `before` this.

    Of two that look at once neither sees the other; stored, the later one sees the earlier.
    """
    for job in live_jobs(services, JobType.SAVE):
        other = job.asked(EditRequest).recipe
        is_earlier = before is None or job.sequence < before
        if is_earlier and other.asset_id == recipe.asset_id and other != recipe:
            raise ConflictError(f"another edit of asset {recipe.asset_id} is being saved")


def _withdraw(services: Services, job: Job) -> None:
    """Forget a job that nobody was told of."""
    with suppress(ConflictError, NotFoundError):  # it has ended, or somebody else withdrew it
        cancel(services, job.id)
    with suppress(ConflictError, NotFoundError):
        delete(services, job.id)


def preview_key(recipe: EditRecipe, digests: dict[str, str]) -> StorageKey:
    """Where the preview of a recipe lies; `digests` are the sha256 of its sources by their ids."""
    return keys.asset_preview(recipe.asset_id, preview_key_hash(recipe, digests))


def _checked(services: Services, recipe: EditRecipe) -> StorageKey:
    """Where the preview of a recipe that keeps all rules lies; its assets are in use from now on."""
    sources = find_sources(services, recipe)
    return preview_key(recipe, {source: asset.sha256 for source, asset in sources.items()})
