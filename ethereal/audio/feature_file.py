"""Features on disk: `features.json` tells what they are, `features.f32` holds a row of numbers per frame."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, fields
from fractions import Fraction
from os import fstat
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
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

    version: Annotated[int, Field(ge=1, le=2)] = 2  # 1 has fewer names
    names: list[str]
    fps: Ratio
    frame_count: Annotated[int, Field(ge=0)]
    tempo: float
    beat_confidence: float
    beats: list[float] = []
    onsets: list[float] = []
    columns: list[_ColumnDescription] = []
    sha256: str


@dataclass(frozen=True)
class Told:
    """What the JSON tells of features, beside what each of them means."""

    names: tuple[str, ...]
    fps: Fraction
    frame_count: int
    tempo: float
    beat_confidence: float
    beats: tuple[float, ...]
    onsets: tuple[float, ...]


def save_features(features: Features, directory: Path) -> None:
    """Write both files into `directory`, as `save_rows` does."""
    told = Told(**{part.name: getattr(features, part.name) for part in fields(Told)})
    save_rows(told, [features.values], directory)


def save_rows(told: Told, blocks: Iterable[NDArray[np.float32]], directory: Path) -> None:
    """Write both files into `directory`. The JSON comes last: where it is, the numbers are whole."""
    (directory / JSON_NAME).unlink(missing_ok=True)
    with TemporaryDirectory(dir=directory, prefix=".unfinished-") as scratch:
        sha256 = _write_numbers(blocks, Path(scratch, VALUES_NAME))
        Path(scratch, JSON_NAME).write_bytes(_describe(told, sha256))
        for name in (VALUES_NAME, JSON_NAME):
            Path(scratch, name).replace(directory / name)


def _write_numbers(blocks: Iterable[NDArray[np.float32]], path: Path) -> str:
    """Write rows one after another; return the sha256 of all."""
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for block in blocks:
            numbers = np.ascontiguousarray(block, dtype="<f4").tobytes()
            digest.update(numbers)
            file.write(numbers)
    return digest.hexdigest()


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


def _describe(told: Told, sha256: str) -> bytes:
    known = {column.name: column for column in COLUMNS}
    described = [known[name] for name in told.names if name in known]
    description = _Description(
        names=list(told.names),
        fps=f"{told.fps.numerator}/{told.fps.denominator}",
        frame_count=told.frame_count,
        tempo=told.tempo,
        beat_confidence=told.beat_confidence,
        beats=list(told.beats),
        onsets=list(told.onsets),
        columns=[
            _ColumnDescription(name=column.name, unit=column.unit, description=column.description)
            for column in described
        ],
        sha256=sha256,
    )
    text = json.dumps(description.model_dump(by_alias=True), ensure_ascii=False, indent=1)
    return (text + "\n").encode()
