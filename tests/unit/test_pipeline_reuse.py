"""The same sound with another end: only what the end changes is drawn, for the video of a fresh render."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ethereal.audio.features import Features, load_features, save_features
from ethereal.jobs.model import Job, JobStatus, Step, StepKey, StepName
from ethereal.pipeline import render
from ethereal.pipeline.attempt import run_step
from ethereal.pipeline.progress import ChunkState, chunk_states
from ethereal.pipeline.retention import sweep_plans
from ethereal.render.kept import KeptRenderer
from ethereal.render.renderer import Renderer
from ethereal.services import Services
from ethereal.storage import keys
from ethereal.storage.keys import StorageKey
from tests.builders import HandClock, add_job, make_services
from tests.render_fakes import draw_picture, write_flac

GOP, GOPS = 48, 5
FRAMES = GOP * GOPS
PREPARE, PLAN = StepKey(StepName.PREPARE_AUDIO), StepKey(StepName.PLAN_RENDER)


@dataclass
class HearingRenderer:
    """Its pictures are as bright as the sound is loud, and `tone` brighter."""

    picture: NDArray[np.uint8]
    loudness: NDArray[np.float32]
    tone: int
    drawn: list[int] = field(default_factory=list)
    gl_renderer: str = "numpy"
    browser_version: str = "0"

    def draw(self, frames: Sequence[int]) -> Iterator[memoryview]:
        for frame in frames:
            self.drawn.append(frame)
            shade = np.uint8(frame % 50 + 99 * self.loudness[frame] + self.tone)
            yield (self.picture + shade).data.cast("B")


@dataclass
class Studio:
    """Where jobs are made, and which frames were drawn in it, canaries left out."""

    folder: Path
    services: Services
    drawn: list[int]
    tone: int = 0

    @contextmanager
    def open_renderer(self, plan_dir: Path) -> Iterator[Renderer]:
        said = json.loads((plan_dir / "composition.json").read_bytes())
        picture = draw_picture(said["width"], said["height"], 0, said["seed"])
        renderer = HearingRenderer(picture, load_features(plan_dir).column("loudness"), self.tone)
        yield renderer
        if (plan_dir / "plan.json").exists():
            canary = json.loads((plan_dir / "plan.json").read_bytes())["canary"]["frames"]
            self.drawn += renderer.drawn[len(canary) + 1 :]

    def render(self, loudness: NDArray[np.float32], **request: Any) -> Job:
        """A job up to its last chunk."""
        services = self.services
        wanted = {"output_format": "draft-360p", "fps": "24", "quality": "draft", "chunks": 2, **request}
        job, inputs = add_job(services, **wanted), self.folder / "inputs"
        inputs.mkdir(exist_ok=True)
        rate, count = Fraction(24), len(loudness)
        save_features(Features(("loudness",), rate, count, loudness[:, None], 120.0, 1.0), inputs)
        write_flac(inputs / "audio.flac", np.zeros(count * 2000, np.float32))
        for file in inputs.iterdir():
            services.objects.put(keys.render_features(job.id, file.name), file)
        self.drawn.clear()
        run_step(services, job.id, PREPARE, lambda attempt: ignore(attempt.commit([PLAN])))
        assert render.plan(services, job.id)
        services.renderer.close()
        return job

    def draw(self, job: Job) -> list[int]:
        """The frames that its chunks drew."""
        for step in chunk_steps(self.services, job):
            assert render.draw_chunk(self.services, job.id, step.key.index)
        self.services.renderer.close()
        return sorted(self.drawn)

    def finish(self, job: Job) -> str:
        assert render.assemble(self.services, job.id)
        ended = self.services.jobs.get(job.id)
        assert ended.status is JobStatus.COMPLETE
        return str((ended.result or {})["sha256"])


def ignore(told: object) -> None:
    pass


def chunk_steps(services: Services, job: Job) -> list[Step]:
    return [step for step in services.jobs.steps(job.id) if step.key.name is StepName.RENDER_CHUNK]


def states_of(services: Services, job: Job) -> Sequence[ChunkState]:
    return chunk_states(services, job.id, services.jobs.steps(job.id))


def copied(services: Services, job: Job) -> list[int]:
    return [chunk.copied for chunk in states_of(services, job)]


def make_studio(folder: Path, clock: HandClock | None = None) -> Studio:
    studio = Studio(folder, make_services(folder, clock=clock), [])
    studio.services = replace(
        studio.services,
        renderer=KeptRenderer(studio.open_renderer),
        route="ffffffff",
        fingerprint="f" * 64,
    )
    return studio


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture(scope="module")
def song() -> NDArray[np.float32]:
    return np.random.default_rng(5).random(FRAMES, np.float32)


@pytest.fixture
def retold(song: NDArray[np.float32]) -> NDArray[np.float32]:
    """The same with another end."""
    return np.concatenate([song[:-20], song[:20]])


@dataclass(frozen=True)
class Before:
    """What a job left that was drawn before."""

    objects: Path
    plan_hash: str
    sha256: str


@pytest.fixture(scope="module")
def before(song: NDArray[np.float32], tmp_path_factory: pytest.TempPathFactory) -> Before:
    studio = make_studio(tmp_path_factory.mktemp("before"))
    job = studio.render(song)
    assert len(studio.draw(job)) == FRAMES
    return Before(studio.folder / "objects", plan_hash(studio, job), studio.finish(job))


@pytest.fixture
def studio(tmp_path: Path, before: Before, clock: HandClock) -> Studio:
    """One where the objects of that job still are."""
    shutil.copytree(before.objects, tmp_path / "objects")
    return make_studio(tmp_path, clock)


def planned(studio: Studio, job: Job) -> Mapping[str, object]:
    (step,) = (step for step in studio.services.jobs.steps(job.id) if step.key == PLAN)
    return step.result or {}


def plan_hash(studio: Studio, job: Job) -> str:
    return str(planned(studio, job)["planHash"])


def test_another_end_draws_the_gops_that_hear_it_and_gives_the_video_of_a_fresh_render(
    studio: Studio, before: Before, retold: NDArray[np.float32], tmp_path: Path
) -> None:
    job = studio.render(retold)
    assert studio.draw(job) == list(range(FRAMES - GOP, FRAMES))
    assert copied(studio.services, job) == [2 * GOP, 2 * GOP]

    (tmp_path / "other").mkdir()
    fresh = make_studio(tmp_path / "other")
    alone = fresh.render(retold)
    assert len(fresh.draw(alone)) == FRAMES
    assert studio.finish(job) == fresh.finish(alone) != before.sha256


def test_a_longer_song_keeps_what_was_drawn_of_the_shorter_one(
    studio: Studio, song: NDArray[np.float32]
) -> None:
    job = studio.render(np.concatenate([song, song]), chunks=3)

    assert studio.draw(job) == list(range(FRAMES - GOP, 2 * FRAMES))
    studio.finish(job)


def test_the_same_plan_dealt_otherwise_draws_nothing(
    studio: Studio, before: Before, song: NDArray[np.float32]
) -> None:
    job = studio.render(song, chunks=5)

    assert studio.draw(job) == []
    assert copied(studio.services, job) == [GOP] * GOPS
    assert all(chunk.reused for chunk in states_of(studio.services, job))
    assert studio.finish(job) == before.sha256


def test_the_same_request_again_takes_its_chunks_as_they_are(
    studio: Studio, song: NDArray[np.float32]
) -> None:
    job = studio.render(song)

    assert studio.draw(job) == []
    assert all(chunk.reused for chunk in states_of(studio.services, job))


def test_gops_are_taken_from_several_plans(studio: Studio, song: NDArray[np.float32]) -> None:
    first, last = song.copy(), song.copy()
    first[:5], last[-5:] = 0, 0
    studio.draw(studio.render(first))
    both = last.copy()
    both[:5] = 0
    studio.draw(studio.render(last))

    job = studio.render(both)

    assert studio.draw(job) == []
    studio.finish(job)


@pytest.mark.parametrize("harm", ["gone", "damaged", "record"])
def test_what_is_gone_or_damaged_is_drawn(
    studio: Studio, before: Before, retold: NDArray[np.float32], harm: str
) -> None:
    job = studio.render(retold)
    spoil(studio.services, before.plan_hash, harm)

    assert studio.draw(job) == [*range(2 * GOP), *range(FRAMES - GOP, FRAMES)]
    assert copied(studio.services, job) == [0, 2 * GOP]
    studio.finish(job)


def spoil(services: Services, plan_hash: str, harm: str) -> None:
    key = keys.plan_chunk(plan_hash, "000000-000001")
    if harm == "gone":
        services.objects.delete(key)
        return
    spoilt = StorageKey(f"{key}.json") if harm == "record" else key
    file = services.objects.fetch(spoilt, services.scratch / "spoilt")
    content = bytearray(file.read_bytes())
    content[content.index(b'"sha256": "') + 11 if harm == "record" else len(content) // 2] ^= 1
    file.write_bytes(content)
    services.objects.put(spoilt, file)


def test_a_chunk_that_was_damaged_after_it_was_copied_is_drawn_not_copied_again(
    studio: Studio, retold: NDArray[np.float32]
) -> None:
    job = studio.render(retold)
    studio.draw(job)
    spoil(studio.services, plan_hash(studio, job), "damaged")
    studio.drawn.clear()

    assert render.assemble(studio.services, job.id)
    assert render.draw_chunk(studio.services, job.id, 0)
    studio.services.renderer.close()

    assert sorted(studio.drawn) == list(range(2 * GOP))
    studio.finish(job)


@pytest.mark.parametrize("fingerprint", ["e" * 64, None])
def test_another_kind_of_renderer_takes_nothing(
    studio: Studio, retold: NDArray[np.float32], fingerprint: str | None
) -> None:
    studio.services = replace(studio.services, fingerprint=fingerprint)

    assert not planned(studio, studio.render(retold))["drawn"]


def test_a_renderer_that_draws_otherwise_under_the_same_name_takes_nothing(
    studio: Studio, retold: NDArray[np.float32]
) -> None:
    studio.tone = 7

    assert not planned(studio, studio.render(retold))["drawn"]


@pytest.mark.parametrize("request_", [{"seed": 3}, {"quality": "standard"}, {"codec": "hevc"}])
def test_another_request_takes_nothing(
    studio: Studio, song: NDArray[np.float32], request_: dict[str, Any]
) -> None:
    assert not planned(studio, studio.render(song, **request_))["drawn"]


def test_what_renders_left_is_kept_for_a_week_and_then_goes(
    studio: Studio, clock: HandClock, retold: NDArray[np.float32]
) -> None:
    now = datetime.now(UTC)
    clock.now = now + timedelta(days=7)
    assert sweep_plans(studio.services) == 0
    assert planned(studio, studio.render(retold))["drawn"]

    clock.now = now + timedelta(days=9)
    assert sweep_plans(studio.services) > 5
    assert list(studio.services.objects.list(StorageKey("plans/"))) == []
    assert list(studio.services.objects.list(StorageKey("reuse/"))) == []
