"""Make a plan, and load one: whatever a worker needs to know is in its directory, under one hash."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from pathlib import Path

from ethereal import __version__
from ethereal.beat import Beat, no_beat
from ethereal.errors import (
    EtherealError,
    InvalidConfigError,
    MissingPlanArtifactError,
    PlanHashMismatchError,
    PlanProtocolError,
)
from ethereal.render.audio_track import make_audio_track, sample_count_for
from ethereal.render.beside import working_beside
from ethereal.render.canary import canary_frames, draw_canary
from ethereal.render.canonical_json import canonical_json
from ethereal.render.chunks import choose_chunk_count, deal_chunks, gop_frames_for, gops_of
from ethereal.render.composition import MAX_SECONDS, Composition
from ethereal.render.containers import choose_codec, get_container
from ethereal.render.encoder_settings import encoder_document, libraries, read_settings
from ethereal.render.formats import get_quality
from ethereal.render.plan_files import ENCODER_FILE, check_frozen_size, freeze_page
from ethereal.render.plan_hash import PLAN_FILE, files_of, plan_hash_of
from ethereal.render.plan_record import PROTOCOL, Canary, Document, Plan, Provenance, plan_document, read_plan
from ethereal.render.renderer import OpenRenderer
from ethereal.whole import whole_directory

__all__ = ["Plan", "PlanRequest", "load_plan", "make_plan"]


@dataclass(frozen=True)
class PlanRequest:
    """What to render. `canonical` is 48 kHz FLAC or None; `features_dir` has features.json and features.f32.

    `chunk_count` None leaves it to the work there is and to `width_of_farm`, the workers that will share it,
    and `codec` None to the container and the size. `encoder_options` come in place of the quality's, by name:
    for measurements that hold everything else against another renderer.
    """

    composition: Composition
    canonical: Path | None
    features_dir: Path
    frame_count: int
    quality: str
    chunk_count: int | None = None
    container: str = "mp4"
    codec: str | None = None
    width_of_farm: int = 1
    encoder_options: Mapping[str, str] = field(default_factory=dict)


def make_plan(
    request: PlanRequest, plan_dir: Path, *, open_renderer: OpenRenderer, beat: Beat = no_beat
) -> Plan:
    """Decide everything and freeze it at `plan_dir`, whole or not at all, in place of what was there.

    The renderer draws the canary, so the plan binds all workers to what it draws. Raise InvalidConfigError,
    InvalidInputError or PlanTooLargeError for what cannot be rendered, and what the renderer raises.
    """
    _check(request)
    with whole_directory(plan_dir) as directory:
        _freeze_picture(request, directory)
        with working_beside(partial(_freeze_sound, request, directory)) as sound:
            with open_renderer(directory) as renderer:
                settings = read_settings(_read_json(directory / ENCODER_FILE))
                frames = canary_frames(request.frame_count)
                canary, seconds = draw_canary(renderer, frames, settings)
                made_with = Provenance(renderer.gl_renderer, renderer.browser_version, __version__)
            sound(beat)
        plan = _decide(request, canary, made_with, seconds)
        check_frozen_size(directory)
        _write_plan(plan, directory)
    beat(1.0)
    return load_plan(plan_dir)


def load_plan(plan_dir: Path) -> Plan:
    """Return the plan at `plan_dir`; its hash is computed from the bytes on disk, once while they stay.

    Raise MissingPlanArtifactError, PlanProtocolError or PlanHashMismatchError.
    """
    try:
        stats = [(str(path), path.stat()) for path in sorted(plan_dir.rglob("*"))]
    except FileNotFoundError as error:
        raise MissingPlanArtifactError(f"a file of {plan_dir} went away") from error
    stamp = tuple((name, stat.st_size, stat.st_mtime_ns, stat.st_ino) for name, stat in stats)
    return _load(plan_dir.resolve(), stamp)


def _check(request: PlanRequest) -> None:
    request.composition.check()
    get_quality(request.quality)
    _encoding(request)
    wrong: dict[str, list[str]] = {}
    if not 1 <= request.frame_count <= MAX_SECONDS * request.composition.fps:
        wrong["frameCount"] = ["must be at least 1, and 24 hours at most"]
    if request.canonical is not None and not request.canonical.is_file():
        wrong["audio"] = ["is not there"]
    if wrong:
        raise InvalidConfigError(f"cannot plan this: {', '.join(wrong)}", wrong)
    if request.chunk_count is not None:
        deal_chunks(_grid(request), request.chunk_count)


def _encoding(request: PlanRequest) -> Document:
    """What encoder.json says."""
    composition, container = request.composition, get_container(request.container)
    codec = choose_codec(
        container,
        request.codec,
        composition.width,
        composition.height,
        composition.background,
        composition.projection,
    )
    document: Document = encoder_document(composition, get_quality(request.quality), codec, container.sound)
    return {**document, "options": {**document["options"], **request.encoder_options}}


def _grid(request: PlanRequest) -> tuple[range, ...]:
    return gops_of(request.frame_count, gop_frames_for(request.composition.fps))


def _freeze_picture(request: PlanRequest, directory: Path) -> None:
    freeze_page(request.composition, request.frame_count, request.features_dir, directory)
    (directory / ENCODER_FILE).write_bytes(canonical_json(_encoding(request)))


def _freeze_sound(request: PlanRequest, directory: Path, beat: Beat) -> None:
    sound = get_container(request.container).sound
    if request.canonical is not None:
        make_audio_track(
            request.canonical,
            directory / sound.file,
            sample_count=sample_count_for(request.frame_count, request.composition.fps),
            bit_rate=get_quality(request.quality).audio_bit_rate,
            sound=sound,
            beat=beat,
        )


def _decide(request: PlanRequest, canary: Canary, made_with: Provenance, seconds: float) -> Plan:
    composition, gops = request.composition, _grid(request)
    chunk_count = request.chunk_count or choose_chunk_count(
        gop_count=len(gops),
        frame_count=request.frame_count,
        seconds_per_frame=seconds,
        width_of_farm=request.width_of_farm,
    )
    return Plan(
        plan_hash="",
        composition=composition,
        frame_count=request.frame_count,
        gop_frames=gop_frames_for(composition.fps),
        quality=request.quality,
        container=request.container,
        has_audio=request.canonical is not None,
        encoder=read_settings(_encoding(request)),
        libraries=libraries(),
        canary=canary,
        made_with=made_with,
        gops=gops,
        chunks=deal_chunks(gops, chunk_count),
    )


def _write_plan(plan: Plan, directory: Path) -> None:
    files = files_of(directory)
    document = plan_document(plan, list(files))
    named = plan_document(replace(plan, plan_hash=plan_hash_of(files, document)), list(files))
    (directory / PLAN_FILE).write_bytes(json.dumps(named, indent=1, ensure_ascii=False).encode() + b"\n")


@lru_cache(maxsize=16)
def _load(plan_dir: Path, stamp: object) -> Plan:
    document = _read_json(plan_dir / PLAN_FILE)
    if document.get("protocol") != PROTOCOL:
        raise PlanProtocolError(f"plan protocol {document.get('protocol')!r}; this worker knows {PROTOCOL}")
    files = files_of(plan_dir)
    missing = sorted(set(document.get("files", ())) - set(files))
    if missing:
        raise MissingPlanArtifactError(f"the plan lacks {', '.join(missing)}")
    if plan_hash_of(files, document) != document.get("planHash"):
        raise PlanHashMismatchError("the bytes of the plan are not those that its hash names")
    try:
        return read_plan(document, _read_json(plan_dir / ENCODER_FILE))
    except (KeyError, TypeError, ValueError, EtherealError) as error:
        raise PlanHashMismatchError(f"this is no plan: {error!r}") from error


def _read_json(path: Path) -> Document:
    try:
        document = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise MissingPlanArtifactError(f"the plan lacks {path.name}") from error
    except ValueError as error:
        raise PlanHashMismatchError(f"{path.name} is damaged") from error
    if not isinstance(document, dict):
        raise PlanHashMismatchError(f"{path.name} is damaged")
    return document
