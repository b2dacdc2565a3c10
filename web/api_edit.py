"""/api/audio/edit: an edit is heard (preview) or kept (save); its recipe is checked at once."""

from __future__ import annotations

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from pydantic_core import from_json
from werkzeug.exceptions import UnsupportedMediaType

from ethereal.audio.recipe import read_recipe
from ethereal.errors import InvalidInputError
from ethereal.jobs.request import EditRecipe
from ethereal.pipeline.edit import preview
from ethereal.pipeline.submit_edit import submit_preview, submit_save
from web import access, pace
from web.api_ingest import accepted
from web.clients import sender
from web.face import services

blueprint = Blueprint("api_edit", __name__, url_prefix="/api/audio/edit")


@blueprint.post("/preview")
@access.person_or_token
@pace.counted(pace.Act.SUBMIT)
def hear() -> ResponseReturnValue:
    """Make an MP3 of the recipe's sound; one that was made before is there at once."""
    job, is_there = submit_preview(services(), _recipe(), sender())
    if is_there:
        preview(services(), job.id)
        job = services().jobs.get(job.id)
    return accepted(job, cached=is_there)


@blueprint.post("/save")
@access.person_or_token
@pace.counted(pace.Act.SUBMIT)
def keep() -> ResponseReturnValue:
    return accepted(submit_save(services(), _recipe(), sender()))


def _recipe() -> EditRecipe:
    if not request.is_json:
        raise UnsupportedMediaType("send application/json")
    try:
        return read_recipe(from_json(request.get_data()))
    except ValueError as error:
        raise InvalidInputError("the body is not JSON", {"body": ["is not valid JSON"]}) from error
