"""Freeze what a plan is made from into its directory, within the size that a plan may have."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path

from ethereal.audio.feature_file import check_features
from ethereal.errors import InvalidConfigError, InvalidInputError, NotFoundError, PlanTooLargeError
from ethereal.render.canonical_json import canonical_json
from ethereal.render.composition import Composition, page_document
from ethereal.render.formats import spell_fps
from ethereal.render.plan_hash import files_of
from ethereal.scenes import scene_files
from ethereal.scenes.reach import load_reach

MAX_PLAN_BYTES = 2 << 30
COMPOSITION_FILE, ENCODER_FILE = "composition.json", "encoder.json"
SCENE_DIRECTORY = "composition"
_FEATURE_FILES = ("features.json", "features.f32")


def freeze_page(composition: Composition, frame_count: int, features_dir: Path, directory: Path) -> None:
    """Put all that the page loads into `directory`; raise PlanTooLargeError or InvalidConfigError.

    The features must be those of this rate and number of frames.
    """
    sources = {f"{SCENE_DIRECTORY}/{place}": path for place, path in scene_files(composition.scene).items()}
    sources |= {name: features_dir / name for name in _FEATURE_FILES}
    check_size({place: path for place, path in sources.items() if path.is_file()})
    _check_features(features_dir, composition.fps, frame_count)
    (directory / COMPOSITION_FILE).write_bytes(canonical_json(_page(composition, frame_count)))
    for place, source in sources.items():
        target = directory / place
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


def check_frozen_size(directory: Path) -> None:
    """Raise PlanTooLargeError when the plan in `directory` is over the limit."""
    check_size(files_of(directory))


def check_size(files: Mapping[str, Path], limit: int = MAX_PLAN_BYTES) -> None:
    """Raise PlanTooLargeError, with the size of each part, when `files` are over `limit` bytes together."""
    parts: dict[str, int] = {}
    for place, path in files.items():
        part = place.split("/", maxsplit=1)[0]
        parts[part] = parts.get(part, 0) + path.stat().st_size
    if sum(parts.values()) > limit:
        spelled = ", ".join(
            f"{part} {size}" for part, size in sorted(parts.items(), key=lambda item: -item[1])
        )
        raise PlanTooLargeError(f"the plan has {sum(parts.values())} bytes, over {limit}: {spelled}")


def _page(composition: Composition, frame_count: int) -> dict[str, object]:
    """What the page is told; a scene that declares its reach is held to it there."""
    reach = load_reach(composition.scene, composition.fps)
    return page_document(composition, frame_count) | ({"reach": asdict(reach)} if reach else {})


def _check_features(directory: Path, fps: Fraction, frame_count: int) -> None:
    try:
        made_for = check_features(directory)
    except (NotFoundError, InvalidInputError) as error:
        raise InvalidConfigError(f"features: {error}", {"features": [str(error)]}) from error
    if made_for != (fps, frame_count):
        reason = f"made for {made_for[1]} frames at {spell_fps(made_for[0])}"
        raise InvalidConfigError(f"the features are {reason}", {"features": [reason]})
