"""A render elsewhere: an order carried out over links, alone or with other containers, and reported."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from ethereal.cloud.chunk import draw_chunk
from ethereal.cloud.links import Patience
from ethereal.cloud.machine import Machine
from ethereal.cloud.post import Answer
from ethereal.cloud.render import render_call
from ethereal.dispatch.messages import ChunkDone, ChunkOrder, Order, PartLinks, Report, Trouble
from ethereal.errors import SceneFailedError, UnavailableError
from ethereal.jobs.model import Job
from ethereal.pipeline.brief import make_brief
from ethereal.render.renderer import Renderer
from ethereal.storage import keys
from ethereal.storage.keys import StorageKey
from ethereal.storage.r2 import R2ObjectStore
from tests.builders import add_job, make_services
from tests.render_fakes import open_numpy, write_features, write_flac
from tests.standins.r2 import R2StandIn, open_r2

FRAMES, HOUR = 100, timedelta(hours=1)
QUICK = Patience(total=5, first=0.05, answer=5)


@dataclass
class Ear:
    """Hears what a call reports; refuses from a stage on, or is deaf."""

    refuses: str = ""
    deaf: bool = False
    heard: list[Report] = field(default_factory=list)

    def __call__(self, report: Report) -> Answer:
        if self.deaf:
            raise UnavailableError("nobody is there")
        self.heard.append(report)
        return Answer.REFUSED if report.stage == self.refuses else Answer.TAKEN


@dataclass(frozen=True)
class Cloud:
    """A job whose inputs lie in a bucket, and a container that takes its orders."""

    r2: R2StandIn
    objects: R2ObjectStore
    job: Job
    machine: Machine
    folder: Path

    def order(self, chunks: int = 1, *, refuse_software: bool = True, part_size: int = 0) -> Order:
        brief = make_brief(
            self.objects,
            self.job,
            1,
            frames=FRAMES,
            chunks=chunks,
            lifetime=HOUR,
            refuse_software=refuse_software,
        )
        if part_size:
            brief = brief.model_copy(update={"video_parts": self.part_links(part_size)})
        path = self.folder / "brief.json"
        path.write_text(brief.model_dump_json())
        key = keys.call_file(self.job.id, 1, "brief.json")
        self.objects.put(key, path)
        return Order(
            job_id=self.job.id,
            attempt=1,
            report_url="http://127.0.0.1:1",
            report_token="token",
            brief_url=self.objects.sign_get(key, lifetime=HOUR),
            brief_sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        )

    def part_links(self, size: int) -> PartLinks:
        video = keys.render_output(self.job.id, "mp4")
        signed = self.objects.sign_parts(video, count=9, content_type="video/mp4", lifetime=HOUR)
        return PartLinks(upload_id=signed.upload_id, size=size, urls=tuple(signed.urls))

    def video(self) -> bytes:
        with self.objects.open(keys.render_output(self.job.id, "mp4")) as stream:
            return stream.read()


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    services = make_services(tmp_path)
    job = add_job(services, output_format="draft-360p", fps="24", quality="draft")
    inputs = write_features(tmp_path / "inputs", FRAMES)
    write_flac(inputs / "audio.flac", np.zeros(48_000 * 5, np.float32))
    machine = Machine(
        name="cpu",
        open_renderer=open_numpy,
        fan_out=nobody,
        scratch=tmp_path / "container",
        encoders=1,
        patience=QUICK,
    )
    with open_r2() as r2:
        objects = R2ObjectStore(r2.bucket())
        for file in inputs.iterdir():
            objects.put(keys.render_features(job.id, file.name), file)
        yield Cloud(r2, objects, job, machine, tmp_path)


def nobody(orders: Sequence[ChunkOrder]) -> Iterator[ChunkDone]:
    raise AssertionError("one chunk needs no other container")


def by_another(machine: Machine) -> Callable[[Sequence[ChunkOrder]], Iterator[ChunkDone]]:
    """Another container of that kind; orders travel as JSON."""
    other = replace(machine, scratch=machine.scratch.with_name("other"))

    def fan_out(orders: Sequence[ChunkOrder]) -> Iterator[ChunkDone]:
        for order in orders:
            yield draw_chunk(ChunkOrder.model_validate(json.loads(order.model_dump_json())), other)

    return fan_out


def result_of(report: Report) -> str:
    assert report.result is not None, report.error
    return report.result.sha256


def code_of(report: Report) -> str:
    assert report.error is not None
    return report.error.code


def test_an_order_becomes_a_video_in_the_bucket(cloud: Cloud) -> None:
    ear = Ear()
    report = render_call(cloud.order(), "fc-1", cloud.machine, ear)

    assert result_of(report) == hashlib.sha256(cloud.video()).hexdigest()
    result = report.result
    assert result is not None
    assert (result.frames, result.size_bytes, result.chunks) == (FRAMES, len(cloud.video()), 1)
    assert (result.machine, result.gl_renderer) == ("cpu", "numpy")
    for key in (result.poster_key, result.contact_key):
        assert cloud.objects.exists(StorageKey(str(key)))
    assert ear.heard[0].stage == "starting"
    numbers = [told.sequence for told in [*ear.heard, report]]
    assert numbers == sorted(set(numbers))
    assert list(cloud.machine.scratch.iterdir()) == [], "nothing stays on the container"


def test_a_video_that_is_large_comes_in_parts(cloud: Cloud) -> None:
    small = render_call(cloud.order(part_size=1 << 30), "fc-1", cloud.machine, Ear())
    assert small.parts is None
    whole = cloud.video()
    cloud.objects.delete(keys.render_output(cloud.job.id, "mp4"))

    report = render_call(cloud.order(part_size=len(whole) // 3), "fc-2", cloud.machine, Ear())

    assert report.parts == 4
    assert result_of(report) == result_of(small)
    assert sorted(cloud.r2.parts()) == [1, 2, 3, 4]


def test_other_containers_draw_their_chunks_to_the_same_file(cloud: Cloud) -> None:
    alone = result_of(render_call(cloud.order(), "fc-1", cloud.machine, Ear()))
    machine = replace(cloud.machine, fan_out=by_another(cloud.machine))
    report = render_call(cloud.order(3), "fc-2", machine, Ear())

    assert result_of(report) == alone
    assert report.result is not None
    assert report.result.chunks == 3


def test_a_chunk_in_trouble_is_drawn_by_another_container_once(cloud: Cloud) -> None:
    draw, troubles = by_another(cloud.machine), [1, 2, 2]

    def fan_out(orders: Sequence[ChunkOrder]) -> Iterator[ChunkDone]:
        for done in draw(orders):
            if done.index in troubles:
                troubles.remove(done.index)
                done = ChunkDone(
                    index=done.index, trouble=Trouble(code="BROWSER_CRASHED", message="it crashed")
                )
            yield done

    machine = replace(cloud.machine, fan_out=fan_out)
    report = render_call(cloud.order(3), "fc-1", machine, Ear())
    assert (report.status, code_of(report)) == ("failed", "BROWSER_CRASHED")
    troubles[:] = [1, 2]
    assert render_call(cloud.order(3), "fc-2", machine, Ear()).status == "complete"


@pytest.mark.parametrize("chunks", [1, 2])
def test_a_browser_that_fails_here_is_replaced_once_and_costs_no_call(cloud: Cloud, chunks: int) -> None:
    whole = result_of(render_call(cloud.order(), "fc-1", cloud.machine, Ear()))
    failing = FailingBrowsers(lives=1)
    machine = replace(cloud.machine, open_renderer=failing.open, fan_out=by_another(cloud.machine))

    assert result_of(render_call(cloud.order(chunks), "fc-2", machine, Ear())) == whole
    assert failing.opened == 2
    failing.opened = -1
    assert code_of(render_call(cloud.order(chunks), "fc-3", machine, Ear())) == "SCENE_FAILED"


def test_a_chunk_that_nobody_answers_for_is_lost(cloud: Cloud) -> None:
    machine = replace(cloud.machine, fan_out=lambda orders: iter(()))

    assert code_of(render_call(cloud.order(2), "fc-1", machine, Ear())) == "CALL_LOST"


def test_a_chunk_that_comes_damaged_is_drawn_here(cloud: Cloud, tmp_path: Path) -> None:
    alone = result_of(render_call(cloud.order(), "fc-1", cloud.machine, Ear()))

    def fan_out(orders: Sequence[ChunkOrder]) -> Iterator[ChunkDone]:
        for done in by_another(cloud.machine)(orders):
            (tmp_path / "damaged").write_bytes(b"not a chunk")
            cloud.objects.put(keys.call_file(cloud.job.id, 1, f"chunk-{done.index}"), tmp_path / "damaged")
            yield done

    machine = replace(cloud.machine, fan_out=fan_out)
    assert result_of(render_call(cloud.order(2), "fc-2", machine, Ear())) == alone


def test_a_call_whose_attempt_is_over_draws_nothing(cloud: Cloud) -> None:
    ear = Ear(refuses="starting")
    machine = replace(cloud.machine, open_renderer=no_renderer)

    report = render_call(cloud.order(), "fc-1", machine, ear)

    assert code_of(report) == "LEASE_LOST"
    assert [told.stage for told in ear.heard] == ["starting"]


def test_a_call_that_is_called_off_stops_where_it_is(cloud: Cloud) -> None:
    report = render_call(cloud.order(), "fc-1", cloud.machine, Ear(refuses="planning"))

    assert code_of(report) == "LEASE_LOST"
    assert not cloud.objects.exists(keys.render_output(cloud.job.id, "mp4"))


def test_a_render_that_nobody_hears_goes_on(cloud: Cloud) -> None:
    assert render_call(cloud.order(), "fc-1", cloud.machine, Ear(deaf=True)).status == "complete"


def test_software_gl_on_a_gpu_that_was_paid_for_is_refused_or_told(cloud: Cloud) -> None:
    machine = replace(cloud.machine, name="L4", open_renderer=open_software)

    assert code_of(render_call(cloud.order(), "fc-1", machine, Ear())) == "RENDERER_MISMATCH"
    told = render_call(cloud.order(refuse_software=False), "fc-2", machine, Ear()).result
    assert told is not None
    assert (told.machine, told.gl_renderer, told.software_gl) == ("L4", "llvmpipe (LLVM 19)", True)


def test_a_bucket_that_is_away_for_a_while_loses_nothing(cloud: Cloud) -> None:
    order = cloud.order()
    cloud.r2.fail("unavailable", times=2, method="GET")
    cloud.r2.fail("cut", times=1, method="GET")
    cloud.r2.fail("unavailable", times=2, method="PUT")
    cloud.r2.fail("lost", times=1, method="PUT")

    assert render_call(order, "fc-1", cloud.machine, Ear()).status == "complete"


def test_an_order_whose_brief_was_exchanged_is_refused(cloud: Cloud) -> None:
    order = cloud.order().model_copy(update={"brief_sha256": "ab" * 32})

    assert code_of(render_call(order, "fc-1", cloud.machine, Ear())) == "VALIDATION_ERROR"


def test_an_accident_is_reported_without_its_text(cloud: Cloud) -> None:
    machine = replace(cloud.machine, open_renderer=no_renderer)

    report = render_call(cloud.order(), "fc-1", machine, Ear())
    assert code_of(report) == "INTERNAL_ERROR"
    assert "secret" not in report.model_dump_json()


def no_renderer(directory: Path) -> AbstractContextManager[Renderer]:
    raise ZeroDivisionError("a secret")


@dataclass
class FailingBrowsers:
    """Opens renderers, of which so many lose their context after some frames that are not of the canary."""

    lives: int
    opened: int = 0

    @contextmanager
    def open(self, plan_dir: Path) -> Iterator[Renderer]:
        self.opened += 1
        with open_numpy(plan_dir) as renderer:
            draw, fails = renderer.draw, self.opened <= self.lives

            def draw_some(frames: Sequence[int]) -> Iterator[memoryview]:
                for number, view in enumerate(draw(frames)):
                    if fails and number == 10:
                        raise SceneFailedError("the WebGL context was lost")
                    yield view

            renderer.draw = draw_some  # type: ignore[method-assign]
            yield renderer


@contextmanager
def open_software(plan_dir: Path) -> Iterator[Renderer]:
    with open_numpy(plan_dir) as renderer:
        renderer.gl_renderer = "llvmpipe (LLVM 19)"
        yield renderer
