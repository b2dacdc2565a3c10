"""GET /api/openapi.json: the API described for programs, made of the very schemas that read and answer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import models_json_schema

import ethereal
from ethereal.dispatch.messages import Report
from ethereal.jobs.request import EditRecipe
from web import access, answers
from web.clients import CLIENT_HEADER, CLIENT_NAME, KEY_HEADER
from web.schemas import (
    AssetsQuery,
    DeleteQuery,
    IngestBody,
    IngestForm,
    JobsQuery,
    Options,
    RenderBody,
    StreamQuery,
    UploadBody,
)

blueprint = Blueprint("openapi", __name__, url_prefix="/api")

Schema = dict[str, Any]
_REF = "#/components/schemas/{model}"


@dataclass(frozen=True)
class Operation:
    """One method of one path. `answer` is a model, or the media type of what is no JSON."""

    method: str
    path: str
    says: str
    answer: type[BaseModel] | str | None
    status: int = 200
    body: type[BaseModel] | None = None
    form: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    creates: bool = False
    proof: Sequence[str] = ("token", "session")


def _sends(path: str, says: str, body: type[BaseModel], **more: Any) -> Operation:
    """A request that makes a job."""
    return Operation("post", path, says, answers.Accepted, 202, body=body, creates=True, **more)


OPERATIONS = (
    _sends("/api/render", "Ask for a video.", RenderBody, form=Options),
    Operation("get", "/api/render", "Renders, newest first.", answers.JobsAnswer, query=JobsQuery),
    Operation("get", "/api/render/{job_id}", "One render.", answers.JobAnswer),
    Operation("delete", "/api/render/{job_id}", "Cancel a render, or forget an ended one.", answers.Ended),
    Operation("get", "/api/jobs", "Jobs of all types, newest first.", answers.JobsAnswer, query=JobsQuery),
    Operation("get", "/api/jobs/{job_id}", "One job.", answers.JobAnswer),
    Operation("delete", "/api/jobs/{job_id}", "Forget a job that has ended.", answers.Ended),
    Operation("post", "/api/jobs/{job_id}/cancel", "Call a job off.", answers.Cancelled),
    Operation("get", "/api/jobs/{job_id}/chunks", "The chunks of a render.", answers.ChunksAnswer),
    Operation("get", "/api/jobs/{job_id}/events", "Follow a job to its end.", "text/event-stream"),
    Operation("get", "/api/audio/jobs/{job_id}", "One job, by its older name.", answers.JobAnswer),
    Operation("post", "/api/audio/jobs/{job_id}/cancel", "Call a job off.", answers.Cancelled),
    _sends("/api/audio/ingest", "Take sound in.", IngestBody, form=IngestForm),
    _sends("/api/audio/edit/preview", "Hear the sound of a recipe.", EditRecipe),
    _sends("/api/audio/edit/save", "Keep the sound of a recipe.", EditRecipe),
    Operation("get", "/api/audio/assets", "The library.", answers.AssetsAnswer, query=AssetsQuery),
    Operation("get", "/api/audio/assets/{asset_id}", "One sound.", answers.AssetWhole),
    Operation("delete", "/api/audio/assets/{asset_id}", "Delete it.", answers.Deleted, query=DeleteQuery),
    Operation("get", "/api/audio/assets/{asset_id}/stream", "Hear it.", None, 302, query=StreamQuery),
    Operation("post", "/api/storage/upload", "Ask where to put a file.", answers.UploadLink, body=UploadBody),
    Operation("put", "/api/storage/upload", "Put it.", answers.Stored, 201, proof=()),
    Operation("get", "/api/storage/download", "Fetch an object.", "application/octet-stream", proof=()),
    Operation("get", "/api/templates", "The looks.", answers.TemplatesAnswer),
    Operation("get", "/api/formats", "Sizes, rates, qualities, containers.", answers.FormatsAnswer),
    Operation("get", "/api/openapi.json", "This description.", "application/json"),
    Operation(
        "post", "/api/webhooks/worker", "Report.", answers.ReportTaken, body=Report, proof=("attempt",)
    ),
    Operation("get", "/healthz", "Whether the process answers.", answers.Health, proof=()),
    Operation("get", "/readyz", "Whether what it needs answers.", answers.Health, proof=()),
    Operation("get", "/metrics", "Numbers for Prometheus.", "text/plain"),
)

_PROOFS = {
    "token": {"type": "http", "scheme": "bearer", "description": "ETHEREAL_API_TOKEN"},
    "session": {"type": "apiKey", "in": "cookie", "name": "ethereal", "description": "made by /login"},
    "attempt": {"type": "http", "scheme": "bearer", "description": "of one attempt of a render elsewhere"},
}


@blueprint.get("/openapi.json")
@access.person_or_token
def show() -> ResponseReturnValue:
    return jsonify(description())


@cache
def description() -> Schema:
    """The API in OpenAPI 3.1."""
    paths: dict[str, Schema] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method] = _operation(operation)
    info = {"title": "Ethereal", "version": ethereal.__version__, "summary": "Sound into video."}
    components = {"schemas": _schemas(), "securitySchemes": _PROOFS}
    return {"openapi": "3.1.0", "info": info, "paths": paths, "components": components}


def _schemas() -> Schema:
    read = [(model, "validation") for model in _models(answered=False)]
    told = [(model, "serialization") for model in _models(answered=True)]
    _, made = models_json_schema([*read, *told], ref_template=_REF)  # type: ignore[list-item]
    return dict(made["$defs"])


def _models(*, answered: bool) -> Iterator[type[BaseModel]]:
    if answered:
        yield answers.Refusal
    for operation in OPERATIONS:
        named = (operation.answer,) if answered else (operation.body,)
        yield from (model for model in named if isinstance(model, type) and issubclass(model, BaseModel))


def _operation(operation: Operation) -> Schema:
    made: Schema = {
        "summary": operation.says,
        "operationId": f"{operation.method} {operation.path}",
        "security": [{proof: []} for proof in operation.proof] if operation.proof else [],
        "parameters": list(_parameters(operation)),
        "responses": {str(operation.status): _answer(operation), "default": _refusal()},
    }
    content = dict(_bodies(operation))
    if content:
        made["requestBody"] = {"required": True, "content": content}
    return made


def _bodies(operation: Operation) -> Iterator[tuple[str, Schema]]:
    if operation.body is not None:
        yield "application/json", {"schema": _ref(operation.body)}
    if operation.form is not None:
        yield "multipart/form-data", {"schema": _form(operation.form)}


def _form(model: type[BaseModel]) -> Schema:
    """Fields of text, and the file."""
    fields = {field.alias or name: {"type": "string"} for name, field in model.model_fields.items()}
    file = {"type": "string", "format": "binary"}
    return {"type": "object", "properties": {**fields, "file": file}, "required": ["file"]}


def _parameters(operation: Operation) -> Iterator[Schema]:
    for name in re.findall(r"{(\w+)}", operation.path):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
    if operation.query is not None:
        for name, schema in TypeAdapter(operation.query).json_schema()["properties"].items():
            yield {"name": name, "in": "query", "schema": _inlined(operation.query, schema)}
    if operation.creates:
        key = {"type": "string", "minLength": 1, "maxLength": 255}
        yield {"name": KEY_HEADER, "in": "header", "schema": key}
        yield {"name": CLIENT_HEADER, "in": "header", "schema": {"type": "string", "pattern": CLIENT_NAME}}


def _inlined(model: type[BaseModel], schema: Schema) -> Schema:
    """The schema with what it refers to in its place: a query has no room for names."""
    named = TypeAdapter(model).json_schema().get("$defs", {})
    if "$ref" in schema:
        return dict(named[schema["$ref"].rpartition("/")[2]])
    if "anyOf" in schema:
        return {**schema, "anyOf": [_inlined(model, part) for part in schema["anyOf"]]}
    return schema


def _answer(operation: Operation) -> Schema:
    if operation.answer is None:
        return {"description": operation.says}
    if isinstance(operation.answer, str):
        return {"description": operation.says, "content": {operation.answer: {}}}
    return {
        "description": operation.says,
        "content": {"application/json": {"schema": _ref(operation.answer)}},
    }


def _refusal() -> Schema:
    return {"description": "refused", "content": {"application/json": {"schema": _ref(answers.Refusal)}}}


def _ref(model: type[BaseModel]) -> Schema:
    return {"$ref": _REF.format(model=model.__name__)}
