"""A long video planned and assembled with real files of its length; only the drawing is made up.

Every stage is a process of its own (`python -m ethereal.bench.long_plan STAGE FOLDER`), so that what it takes
of memory is its own.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import repeat
from pathlib import Path

import numpy as np

from ethereal.audio.canonical import make_canonical
from ethereal.audio.features import write_features
from ethereal.audio.flac import open_flac
from ethereal.bench.load import FPS, QUALITY
from ethereal.bench.usage import own_peak
from ethereal.bench.whole import MIB, run_measured
from ethereal.pipeline.plan_cache import pack_plan, unpack_plan
from ethereal.render.assemble import assemble
from ethereal.render.chunk_file import ChunkSeal, write_chunk
from ethereal.render.composition import Composition
from ethereal.render.encode import encode_gop
from ethereal.render.formats import get_format
from ethereal.render.pixels import Pixels
from ethereal.render.plan import PlanRequest, load_plan, make_plan
from ethereal.render.poster import make_contact_sheet, make_poster

_RATE = 48_000
_SCENE = "bench_light"
_WIDEST = 1000


@dataclass(frozen=True)
class LongVideo:
    """What is planned; `seconds` is even, for whole GOPs."""

    seconds: int
    output_format: str

    @property
    def frame_count(self) -> int:
        return int(self.seconds * FPS)


@dataclass(frozen=True)
class Stage:
    """What a stage took, without the start of its process; `size_bytes` is what it left on disk."""

    name: str
    seconds: float
    peak_mib: int
    size_bytes: int


def measure_long_plan(video: LongVideo, folder: Path) -> list[Stage]:
    """Go through all stages in `folder`, which is left empty but for nothing of theirs."""
    (folder / "video.json").write_text(json.dumps(asdict(video)))  # what each stage reads
    return [_measure(name, folder) for name in STAGES]


def _measure(name: str, folder: Path) -> Stage:
    run_measured([sys.executable, "-m", "ethereal.bench.long_plan", name, str(folder)])
    return Stage(**json.loads((folder / f"{name}.json").read_bytes()))


def main(name: str, folder: Path) -> None:
    """Run the stage `name` and write down what it took."""
    video = LongVideo(**json.loads((folder / "video.json").read_bytes()))
    started = time.monotonic()
    made = STAGES[name](video, folder)
    seconds = time.monotonic() - started
    size = sum(path.stat().st_size for path in [made, *made.rglob("*")] if path.is_file())
    stage = Stage(name, seconds, own_peak() // MIB, size)
    (folder / f"{name}.json").write_text(json.dumps(asdict(stage)))


def _write_sound(video: LongVideo, folder: Path) -> Path:
    """A minute of drum, hat and chord over and over, as people would upload it."""
    at = np.arange(60 * _RATE) / _RATE
    drum = 0.5 * np.exp(-12 * (at % 0.5)) * np.sin(2 * np.pi * 60 * (at % 0.5))
    chord = sum(0.06 * np.sin(2 * np.pi * note * at) for note in (220, 277, 330, 440))
    hat = np.random.default_rng(1).normal(0, 0.01, len(at)) * np.exp(-40 * (at % 0.25))
    minute = np.column_stack([drum + chord, drum + 0.8 * chord + hat]).astype(np.float32)
    with open_flac(folder / "sound.flac") as write:
        for second in range(video.seconds):
            start = second % 60 * _RATE
            write(minute[start : start + _RATE])
    return folder / "sound.flac"


def _listen(video: LongVideo, folder: Path) -> Path:
    """As the farm's first step does: canonical sound and features."""
    (folder / "prepared").mkdir()
    canonical = make_canonical(folder / "sound.flac", folder / "prepared" / "audio.flac")
    (folder / "sound.flac").unlink()
    write_features(canonical.path, folder / "prepared", fps=FPS, frame_count=video.frame_count)
    return folder / "prepared"


def _plan(video: LongVideo, folder: Path) -> Path:
    size = get_format(video.output_format)
    composition = Composition(_SCENE, _SCENE, size.width, size.height, FPS, 1, {})
    prepared = folder / "prepared"
    request = PlanRequest(
        composition,
        prepared / "audio.flac",
        prepared,
        video.frame_count,
        QUALITY,
        width_of_farm=_WIDEST,
    )
    make_plan(request, folder / "plan", open_renderer=_open_painter)
    shutil.rmtree(prepared)
    return folder / "plan"


def _travel(video: LongVideo, folder: Path) -> Path:
    """From the worker that planned to one that draws."""
    archive = pack_plan(folder / "plan", folder / "plan.tar")
    shutil.rmtree(folder / "plan")
    unpack_plan(archive, folder / "plan")
    load_plan(folder / "plan")
    archive.unlink()
    return folder / "plan"


def _repeat_chunks(video: LongVideo, folder: Path) -> Path:
    """Chunks of the plan whose GOPs are all the same one, encoded once."""
    plan = load_plan(folder / "plan")
    painter = _Painter(plan.composition.width, plan.composition.height)
    gop = encode_gop((painter.paint(frame) for frame in plan.gops[0]), plan.encoder)
    for chunk in plan.chunks:
        seal = ChunkSeal(plan.plan_hash, chunk.first_gop, chunk.gop_count, chunk.frame_count)
        path = folder / "chunks" / chunk.name
        path.parent.mkdir(exist_ok=True)
        write_chunk(path, repeat(gop, chunk.gop_count), plan.encoder, seal)
    return folder / "chunks"


def _assemble(video: LongVideo, folder: Path) -> Path:
    output = folder / "video"
    assemble(folder / "plan", list((folder / "chunks").iterdir()), output)
    shutil.rmtree(folder / "chunks")
    shutil.rmtree(folder / "plan")
    return output


def _show(video: LongVideo, folder: Path) -> Path:
    """The still pictures of the finished video."""
    make_poster(folder / "video", folder / "poster.jpg")
    contact = make_contact_sheet(folder / "video", folder / "contact.jpg")
    (folder / "video").unlink()
    return contact


STAGES: Mapping[str, Callable[[LongVideo, Path], Path]] = {
    "sound": _write_sound,
    "listen": _listen,
    "plan": _plan,
    "travel": _travel,
    "chunks": _repeat_chunks,
    "assemble": _assemble,
    "show": _show,
}


class _Painter:
    """A renderer that shifts a gradient: quick, and small once encoded."""

    gl_renderer, browser_version = "painted", "0"

    def __init__(self, width: int, height: int) -> None:
        across = np.linspace(0, 250, width + 512).astype(np.uint8)
        self._wide = np.repeat(across[:, None], 4, axis=1)
        self._canvas: Pixels = np.empty((height, width, 4), np.uint8)

    def paint(self, frame: int) -> Pixels:
        shift = frame % 512
        self._canvas[:] = self._wide[shift : shift + self._canvas.shape[1]]
        return self._canvas

    def draw(self, frames: Sequence[int]) -> Iterator[memoryview]:
        return (self.paint(frame).data.cast("B") for frame in frames)


@contextmanager
def _open_painter(directory: Path) -> Iterator[_Painter]:
    said = json.loads((directory / "composition.json").read_bytes())
    yield _Painter(said["width"], said["height"])


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
