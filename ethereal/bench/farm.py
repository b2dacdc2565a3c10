"""What a chunk costs a worker here, measured, and what farms of all widths would make of a long video."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from ethereal.bench.farm_model import Forecast, Work, forecast
from ethereal.bench.load import Load, make_sound, request_load
from ethereal.bench.long_plan import LongVideo, Stage, measure_long_plan
from ethereal.render.chunk import ChunkResult, render_chunk
from ethereal.render.plan import Plan, make_plan
from ethereal.render.renderer import OpenRenderer
from ethereal.render.warm import WarmRenderer

_CHUNKS = 8
_GOP = 60  # frames


@dataclass(frozen=True)
class Network:
    """Between a worker and the object store, assumed: bytes a second, and seconds until the first."""

    rate: float = 50e6
    delay: float = 0.1


@dataclass(frozen=True)
class Scaling:
    """`stages` are those of the long video; `work` is what the forecasts are made from."""

    scene: str
    output_format: str
    seconds: int
    stages: Sequence[Stage]
    work: Work
    forecasts: Sequence[Forecast]


def measure_scaling(
    scene: str, video: LongVideo, *, open_renderer: OpenRenderer, cores: int, scratch: Path
) -> Scaling:
    """Draw chunks of `scene`, plan and assemble `video` with made-up pictures; simulate farms of both."""
    with TemporaryDirectory(prefix="bench-", dir=scratch) as name:
        folder = Path(name)
        drawn = _draw_chunks(Load(scene, video.output_format, _CHUNKS * _GOP), folder, open_renderer, cores)
    with TemporaryDirectory(prefix="bench-", dir=scratch) as name:
        stages = measure_long_plan(video, Path(name))
    work = _work_of(drawn, {stage.name: stage for stage in stages}, video, Network())
    return Scaling(scene, video.output_format, video.seconds, stages, work, forecast(work))


@dataclass(frozen=True)
class _Drawn:
    """Chunks of a GOP each, drawn by one worker; seconds."""

    plan: Plan
    planned: float
    chunks: Sequence[ChunkResult]
    took: Sequence[float]


def _draw_chunks(load: Load, folder: Path, open_renderer: OpenRenderer, cores: int) -> _Drawn:
    plan_dir, took, chunks = folder / "plan", [], []
    request = request_load(load, make_sound(folder / "s.wav", load.frames), folder, chunk_count=_CHUNKS)
    started = time.monotonic()
    plan = make_plan(request, plan_dir, open_renderer=open_renderer)
    planned = time.monotonic() - started
    with WarmRenderer(open_renderer) as warm:
        for chunk in plan.chunks:
            started = time.monotonic()
            chunks.append(
                render_chunk(plan_dir, chunk.index, folder / chunk.name, open_renderer=warm, encoders=cores)
            )
            took.append(time.monotonic() - started)
    return _Drawn(plan, planned, chunks, took)


def _work_of(drawn: _Drawn, stages: Mapping[str, Stage], video: LongVideo, network: Network) -> Work:
    boots = [chunk.timings["boot"] for chunk in drawn.chunks]
    frame = [
        (took - boot) / chunk.frame_count
        for took, boot, chunk in zip(drawn.took, boots, drawn.chunks, strict=True)
    ]
    usual = median(frame)
    return Work(
        frame_count=video.frame_count,
        gop_frames=drawn.plan.gop_frames,
        seconds_per_frame=usual,
        spread=tuple(round(seconds / usual, 3) for seconds in frame),
        boot=boots[0],
        begin=median(boots[1:]),
        listen=stages["listen"].seconds,
        plan=max(drawn.planned, stages["plan"].seconds) + stages["travel"].seconds,  # sound beside the canary
        assemble=stages["assemble"].seconds + stages["show"].seconds,
        frame_bytes=sum(chunk.size_bytes for chunk in drawn.chunks) / drawn.plan.frame_count,
        plan_bytes=stages["plan"].size_bytes,
        transfer_rate=network.rate,
        transfer_delay=network.delay,
    )
