"""The prepared audio of a job on this host: canonical sound and features. A cache any host can rebuild."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

from ethereal.audio.canonical import make_canonical
from ethereal.audio.features import write_features
from ethereal.beat import Beat
from ethereal.jobs.model import JobId
from ethereal.jobs.request import RenderRequest
from ethereal.pipeline.folders import prepared_folder
from ethereal.pipeline.sound import fetch_sound
from ethereal.render.composition import frame_count_for
from ethereal.render.formats import parse_fps
from ethereal.services import Services

#: Gives the pulse of a stage between two percentages.
BeatFor = Callable[[str, float, float], Beat]

CANONICAL = "audio.flac"
FEATURE_FILES = ("features.json", "features.f32")


def ensure_prepared(
    services: Services, job_id: JobId, request: RenderRequest, *, folder: Path, beat_for: BeatFor
) -> Path:
    """Return the folder of prepared audio, made in `folder` first when this host has none."""
    target = prepared_folder(services, job_id)
    if target.is_dir():
        return target
    source = fetch_sound(services, job_id, request, folder, beat=beat_for("preparing", 2, 4))
    made = _prepare(services, request, source, folder / "prepared", beat_for)
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        made.rename(target)
    except OSError:
        if not target.is_dir():  # a late worker's copy is as good: equal requests prepare equal bytes
            raise
    return target


def _prepare(services: Services, request: RenderRequest, source: Path, made: Path, beat_for: BeatFor) -> Path:
    made.mkdir()
    canonical = make_canonical(
        source,
        made / CANONICAL,
        max_duration=Fraction(services.limits.audio.total_seconds()),
        span=_span(request),
        beat=beat_for("preparing", 4, 6),
    )
    fps = parse_fps(request.fps)
    write_features(
        made / CANONICAL,
        made,
        fps=fps,
        frame_count=frame_count_for(canonical.duration, fps),
        beat=beat_for("preparing", 6, 9),
    )
    return made


def _span(request: RenderRequest) -> tuple[Fraction, Fraction] | None:
    if request.range is None:
        return None
    return Fraction(request.range.start), Fraction(request.range.end)
