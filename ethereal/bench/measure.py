"""One load measured from all sides, and its end-to-end speed held against the limit of the cores."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from ethereal.bench.guesses import load_guesses
from ethereal.bench.load import Load, make_sound, request_load
from ethereal.bench.parts import Part, draw_alone, encode_alone
from ethereal.bench.whole import Run, run_measured
from ethereal.pipeline.eta import eta_errors
from ethereal.render.chunk import render_chunk
from ethereal.render.plan import make_plan
from ethereal.render.renderer import OpenRenderer
from ethereal.render.warm import WarmRenderer

_TWO_SECONDS = 60  # frames
_COMMAND = "from ethereal.cli import main; main()"


@dataclass(frozen=True)
class Bench:
    """How a load was rendered, CPU in milliseconds for one frame.

    The limit: all cores busy with drawing and encoding and nothing else. Where other programs run too, times
    mislead; CPU beyond that of drawing and encoding is still what the rest of a render costs.
    """

    scene: str
    output_format: str
    frames: int
    gl_renderer: str
    browser_version: str
    capture: Part
    encode: Part
    limit_fps: float
    end_to_end_seconds: float
    end_to_end_fps: float
    end_to_end_cpu_ms: float
    ratio_to_limit: float
    chunk_peak_mib: int
    whole_peak_mib: int
    eta_errors: tuple[float, ...]  #: of the guesses at its end on the way, as a part of what it took


@dataclass(frozen=True)
class StartUp:
    """Seconds: until a worker with an open browser begins a chunk, and for a 2-second draft from nothing."""

    warm_chunk: float
    cold_draft: float


def measure(load: Load, *, open_renderer: OpenRenderer, cores: int, scratch: Path) -> Bench:
    """Measure `load`; everything made on the way lies in `scratch` and is gone afterwards."""
    with TemporaryDirectory(prefix="bench-", dir=scratch) as name:
        folder = Path(name)
        sound, plan_dir = make_sound(folder / "sound.wav", load.frames), folder / "plan"
        plan = make_plan(
            request_load(load, sound, folder, chunk_count=1), plan_dir, open_renderer=open_renderer
        )
        capture, pixels = draw_alone(plan, plan_dir, open_renderer)
        encode = encode_alone(plan, pixels, encoders=cores)
        pixels.clear()
        chunk = _run("render-chunk", str(plan_dir), "0", str(folder / "chunk"))
        shown = (load.scene, load.output_format, str(load.frames))
        whole = _run("bench-whole", *shown, str(sound), str(folder / "whole.mp4"))
        errors = eta_errors(load_guesses(folder / "whole.etas.json"))
    limit = 1000 * cores / (capture.cpu_ms + encode.cpu_ms)
    return Bench(
        scene=load.scene,
        output_format=load.output_format,
        frames=load.frames,
        gl_renderer=plan.made_with.gl_renderer,
        browser_version=plan.made_with.browser_version,
        capture=capture,
        encode=encode,
        limit_fps=limit,
        end_to_end_seconds=whole.wall_seconds,
        end_to_end_fps=load.frames / whole.wall_seconds,
        end_to_end_cpu_ms=1000 * whole.cpu_seconds / load.frames,
        ratio_to_limit=load.frames / whole.wall_seconds / limit,
        chunk_peak_mib=chunk.peak_mib,
        whole_peak_mib=whole.peak_mib,
        eta_errors=tuple(errors),
    )


def measure_start_up(*, open_renderer: OpenRenderer, scratch: Path) -> StartUp:
    """Measure how long it takes until work begins."""
    with TemporaryDirectory(prefix="bench-", dir=scratch) as name:
        folder = Path(name)
        sound = make_sound(folder / "sound.wav", _TWO_SECONDS)
        warm = _warm_chunk(sound, folder, open_renderer)
        cold = _run("render", str(sound), "--format", "draft-360p", "-o", str(folder / "draft.mp4"))
    return StartUp(warm, cold.wall_seconds)


def _warm_chunk(sound: Path, folder: Path, open_renderer: OpenRenderer) -> float:
    plan_dir = folder / "plan"
    request = request_load(Load("bench_light", "draft-360p", _TWO_SECONDS), sound, folder)
    make_plan(request, plan_dir, open_renderer=open_renderer)
    with WarmRenderer(open_renderer) as warm:
        render_chunk(plan_dir, 0, folder / "chunk", open_renderer=warm)
        return render_chunk(plan_dir, 0, folder / "chunk", open_renderer=warm).timings["boot"]


def _run(*arguments: str) -> Run:
    return run_measured([sys.executable, "-c", _COMMAND, *arguments])
