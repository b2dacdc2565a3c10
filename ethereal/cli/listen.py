"""From what was asked for on the command line to a plan request: listens to the sound."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import TypeAlias

from ethereal.audio.canonical import make_canonical
from ethereal.audio.features import write_features
from ethereal.cli.wanted import Wanted
from ethereal.render.composition import Composition, frame_count_for
from ethereal.render.formats import get_format, parse_fps
from ethereal.render.plan import PlanRequest
from ethereal.scenes.templates import get_template

#: Hears how much of the listening is done, 0 to 1.
Listening: TypeAlias = Callable[[float], None]

_DECODING_SHARE = 1 / 3  # of the time that listening takes


def make_plan_request(
    wanted: Wanted, folder: Path, *, longest: Fraction, tell: Listening = lambda fraction: None
) -> PlanRequest:
    """Listen to the sound, at most `longest` seconds of it, and leave in `folder` what the plan needs."""
    template, size = get_template(wanted.template), get_format(wanted.output_format)
    fps = parse_fps(wanted.fps)
    canonical = make_canonical(
        wanted.audio,
        folder / "audio.flac",
        max_duration=longest,
        span=wanted.span,
        beat=lambda fraction: tell(_DECODING_SHARE * fraction),
    )
    count = frame_count_for(canonical.duration, fps)
    write_features(
        canonical.path,
        folder,
        fps=fps,
        frame_count=count,
        beat=lambda fraction: tell(_DECODING_SHARE + (1 - _DECODING_SHARE) * fraction),
    )
    composition = Composition(
        template=template.id,
        scene=template.scene,
        width=size.width,
        height=size.height,
        fps=fps,
        seed=wanted.seed,
        parameters=dict(template.parameters),
        background=wanted.background,
        projection=size.projection,
    )
    return PlanRequest(
        composition,
        canonical.path,
        folder,
        count,
        wanted.quality,
        wanted.chunks,
        container=wanted.container,
        codec=wanted.codec,
    )
