"""From what a client asked for to what a plan is made from: the same wherever the plan is made."""

from __future__ import annotations

from pathlib import Path

from ethereal.audio.features import load_features
from ethereal.jobs.request import RenderRequest
from ethereal.render.composition import Composition
from ethereal.render.formats import get_format, parse_fps
from ethereal.render.plan import PlanRequest
from ethereal.scenes.templates import get_template


def read_request(
    request: RenderRequest,
    *,
    canonical: Path,
    features_dir: Path,
    chunk_count: int | None,
    width_of_farm: int,
) -> PlanRequest:
    """Raise InvalidInputError for what cannot be rendered, NotFoundError without features."""
    template, size = get_template(request.template), get_format(request.output_format)
    composition = Composition(
        template=template.id,
        scene=template.scene,
        width=size.width,
        height=size.height,
        fps=parse_fps(request.fps),
        seed=request.seed,
        parameters={**template.parameters, **request.parameters},
        background=request.background,
        projection=size.projection,
    )
    return PlanRequest(
        composition=composition,
        canonical=canonical,
        features_dir=features_dir,
        frame_count=load_features(features_dir).frame_count,
        quality=request.quality,
        chunk_count=chunk_count,
        container=request.container,
        codec=request.codec,
        width_of_farm=width_of_farm,
    )
