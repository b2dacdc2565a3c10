"""Features on disk: `features.json` tells what they are, `features.f32` holds a row of numbers per frame."""

from __future__ import annotations

import hashlib
import json
from fractions import Fraction
from os import fstat
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from ethereal.audio.feature_set import COLUMNS, Features
from ethereal.errors import InvalidInputError, NotFoundError

JSON_NAME = "features.json"
VALUES_NAME = "features.f32"
DAMAGED = "The features are damaged; make them again from the sound."

Ratio = Annotated[str, Field(pattern=r"^[1-9]\d{0,8}/[1-9]\d{0,8}$")]


class _ColumnDescription(BaseModel):
    name: str
    unit: str
    description: str


class _Description(BaseModel):
    """The JSON beside the numbers; `sha256` is of the numbers."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    version: Annotated[int, Field(ge=1, le=1)] = 1
    names: list[str]
    fps: Ratio
    frame_count: Annotated[int, Field(ge=0)]
    tempo: float
    beat_confidence: float
    beats: list[float] = []
    onsets: list[float] = []
    columns: list[_ColumnDescription] = []
    sha256: str


def save_features(features: Features, directory: Path) -> None:
    """Write both files into `directory`. The JSON comes last: where it is, the numbers are whole."""
    numbers = np.ascontiguousarray(features.values, dtype="<f4").tobytes()
    (directory / JSON_NAME).unlink(missing_ok=True)
    with TemporaryDirectory(dir=directory, prefix=".unfinished-") as scratch:
        for name, data in {VALUES_NAME: numbers, JSON_NAME: _describe(features, numbers)}.items():
            (Path(scratch) / name).write_bytes(data)
            (Path(scratch) / name).replace(directory / name)


def load_features(directory: Path) -> Features:
    """Read them back. Raise NotFoundError if they are not there, InvalidInputError if they are damaged."""
    description = _read_checked(directory)
    numbers = np.fromfile(directory / VALUES_NAME, "<f4").astype(np.float32, copy=False)
    return Features(
        names=tuple(description.names),
        fps=Fraction(description.fps),
        frame_count=description.frame_count,
        values=numbers.reshape(description.frame_count, len(description.names)),
        tempo=description.tempo,
        beat_confidence=description.beat_confidence,
        beats=tuple(description.beats),
        onsets=tuple(description.onsets),
    )


def check_features(directory: Path) -> tuple[Fraction, int]:
    """Return their frame rate and number of frames, without loading them; raise what `load_features` does."""
    description = _read_checked(directory)
    return Fraction(description.fps), description.frame_count


def _read_checked(directory: Path) -> _Description:
    """Read the JSON and hold the numbers to it."""
    try:
        description = _Description.model_validate_json((directory / JSON_NAME).read_bytes())
        with (directory / VALUES_NAME).open("rb") as numbers:
            size, sha256 = fstat(numbers.fileno()).st_size, hashlib.file_digest(numbers, "sha256").hexdigest()
    except FileNotFoundError as error:
        raise NotFoundError("There are no features here yet.") from error
    except ValidationError as error:
        raise InvalidInputError(DAMAGED) from error
    if sha256 != description.sha256 or size != 4 * description.frame_count * len(description.names):
        raise InvalidInputError(DAMAGED)
    return description


def _describe(features: Features, numbers: bytes) -> bytes:
    known = {column.name: column for column in COLUMNS}
    described = [known[name] for name in features.names if name in known]
    description = _Description(
        names=list(features.names),
        fps=f"{features.fps.numerator}/{features.fps.denominator}",
        frame_count=features.frame_count,
        tempo=features.tempo,
        beat_confidence=features.beat_confidence,
        beats=list(features.beats),
        onsets=list(features.onsets),
        columns=[
            _ColumnDescription(name=column.name, unit=column.unit, description=column.description)
            for column in described
        ],
        sha256=hashlib.sha256(numbers).hexdigest(),
    )
    fields = description.model_dump(by_alias=True)
    return (json.dumps(fields, ensure_ascii=False, indent=1) + "\n").encode()
