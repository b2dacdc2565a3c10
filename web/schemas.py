"""What clients send, as typed values. Unknown fields are refused; every error names the field."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

from flask import request
from pydantic import AfterValidator, BaseModel, Field, RootModel, StringConstraints, ValidationError
from werkzeug.exceptions import UnsupportedMediaType

from ethereal.errors import InvalidInputError
from ethereal.jobs.model import JobStatus, JobType
from ethereal.jobs.request import Record, RenderRequest, TimeRange
from ethereal.storage.keys import StorageKey

Model = TypeVar("Model", bound=BaseModel)

Title = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]
Filename = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=255)]
#: 30 and "30" are one rate, so that a form and a program ask for the same thing.
Rate = Annotated[int | str, AfterValidator(lambda rate: int(rate) if str(rate).isdecimal() else rate)]


#: The last number that a store counts to.
LAST = 2**63 - 1


class Options(Record):
    """How a render should look. What is left out takes the default of `RenderRequest`."""

    title: Title = ""
    template: str = RenderRequest.model_fields["template"].default
    output_format: str = RenderRequest.model_fields["output_format"].default
    fps: Rate = RenderRequest.model_fields["fps"].default
    quality: str = RenderRequest.model_fields["quality"].default
    container: str = RenderRequest.model_fields["container"].default
    codec: str | None = None
    background: Literal["scene", "transparent"] = RenderRequest.model_fields["background"].default
    visual_config: dict[str, float | bool | str] = Field(default_factory=dict)
    range: TimeRange | None = None
    chunks: int | None = Field(default=None, ge=1, le=1000)
    seed: int = Field(default=0, ge=0, lt=2**32)

    def request(self, *, key: StorageKey | Literal[""], filename: str, sha256: str = "") -> RenderRequest:
        """The render of that stored audio."""
        asked = self.model_dump(include=set(Options.model_fields) - {"visual_config"}, by_alias=False)
        return RenderRequest(
            audio_key=key, filename=filename, audio_sha256=sha256, parameters=self.visual_config, **asked
        )


class UploadedAudio(Record):
    type: Literal["upload"]
    storage_key: str
    filename: Filename = "audio"


class InlineAudio(Record):
    type: Literal["base64"]
    data: str
    filename: Filename = "audio"


class AddressAudio(Record):
    type: Literal["url"]
    url: str = Field(max_length=4096)


class AssetAudio(Record):
    type: Literal["asset"]
    asset_id: str


class YoutubeSource(Record):
    type: Literal["youtube"]
    url: str = Field(max_length=4096)
    rights_attested: Literal[True]


class AddressSource(Record):
    type: Literal["url"]
    url: str = Field(max_length=4096)
    rights_attested: bool = False


class UploadSource(Record):
    type: Literal["audio_file", "video_file"]
    storage_key: str
    filename: Filename = "audio"


class IngestBody(RootModel[YoutubeSource | AddressSource | UploadSource]):
    """Sound to take in."""

    root: Annotated[YoutubeSource | AddressSource | UploadSource, Field(discriminator="type")]


class IngestForm(Record):
    """What a form says of its file."""

    type: Literal["audio_file", "video_file"] = "audio_file"


class AssetsQuery(Record):
    limit: int = Field(default=50, ge=1, le=100)
    cursor: int | None = Field(default=None, ge=0, le=LAST)


class StreamQuery(Record):
    variant: Literal["original", "prepared"] = "original"


class DeleteQuery(Record):
    force: bool = False


class RenderBody(Options):
    audio: Annotated[UploadedAudio | InlineAudio | AddressAudio | AssetAudio, Field(discriminator="type")]
    recipe: dict[str, Any] | None = None


class UploadBody(Record):
    """A file that a client wants to put. `size` in bytes."""

    filename: Filename
    content_type: str = Field(default="", max_length=100, pattern=r"^([\w.+-]+/[\w.+-]+)?$")
    size: int


class JobsQuery(Record):
    status: JobStatus | None = None
    type: JobType | None = None
    limit: int = Field(default=50, ge=1, le=100)
    cursor: int | None = Field(default=None, ge=0, le=LAST)


def read_body(model: type[Model]) -> Model:
    """The JSON body of this request. Raise InvalidInputError naming what is wrong."""
    if not request.is_json:
        raise UnsupportedMediaType("send application/json")
    try:
        return model.model_validate_json(request.get_data())
    except ValidationError as error:
        raise _refused(model, error) from error


def read_query(model: type[Model]) -> Model:
    """The query of this request. Raise InvalidInputError naming what is wrong."""
    return read_fields(model, {name: value for name, value in request.args.items() if value})


def read_fields(model: type[Model], fields: Mapping[str, object]) -> Model:
    try:
        return model.model_validate(dict(fields))
    except ValidationError as error:
        raise _refused(model, error) from error


def read_options(fields: Mapping[str, str]) -> Options:
    """The options of a form, whose values are all text; what is empty was left out."""
    given: dict[str, object] = {name: value for name, value in fields.items() if value.strip()}
    start, end = given.pop("rangeStart", None), given.pop("rangeEnd", None)
    if start is not None or end is not None:
        given["range"] = {"start": start or 0, "end": end}
    if "visualConfig" in given:
        given["visualConfig"] = _json(str(given["visualConfig"]))
    return read_fields(Options, given)


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError as error:
        raise InvalidInputError(
            "visualConfig is not JSON", {"visualConfig": ["must be a JSON object"]}
        ) from error


def _refused(model: type[BaseModel], error: ValidationError) -> InvalidInputError:
    details: dict[str, list[str]] = {}
    for problem in error.errors(include_url=False, include_input=False):
        name = _field(problem["loc"] or (("type",) if problem["type"].startswith("union_tag") else ()))
        details.setdefault(name, []).append(
            _sentence(model, problem["type"], problem["msg"], problem.get("ctx", {}))
        )
    return InvalidInputError(f"these fields are not usable: {', '.join(sorted(details))}", details)


def _field(place: tuple[int | str, ...]) -> str:
    """Where in the body, as a client would write it: the tag of a union is not part of that."""
    tags = ("upload", "base64", "url", "asset")
    if len(place) > 1 and place[0] in ("youtube", "url", "audio_file", "video_file"):
        place = place[1:]
    parts = [
        str(part) for at, part in enumerate(place) if not (at == 1 and place[0] == "audio" and part in tags)
    ]
    return ".".join(parts) or "body"


def _sentence(model: type[BaseModel], kind: str, message: str, context: Mapping[str, Any]) -> str:
    match kind:
        case "extra_forbidden" if issubclass(model, RootModel):
            return "is not a field of this type"
        case "extra_forbidden":
            known = ", ".join(field.alias or name for name, field in model.model_fields.items())
            return f"is not a field; there are {known}"
        case "missing" | "union_tag_not_found":
            return "is required"
        case "union_tag_invalid":
            return f"must be one of {context['expected_tags'].replace(chr(39), '')}"
        case "json_invalid":
            return "is not valid JSON"
        case _:
            return message[:1].lower() + message[1:]
