"""A cloud for tests: calls that are written down, and answers that tests give."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import numpy as np

from ethereal.dispatch.dispatcher import Cloud
from ethereal.dispatch.messages import Order, Report, Trouble
from ethereal.errors import EtherealError
from ethereal.jobs.model import Job, JobId, Lease, Step, StepKey, StepName
from ethereal.jobs.request import RenderResult
from ethereal.pipeline.attempt import run_step
from ethereal.pipeline.dispatch import dispatch
from ethereal.services import Services
from ethereal.storage import keys
from ethereal.storage.r2 import R2ObjectStore
from ethereal.storage.store import ObjectStore
from tests.builders import HandClock, add_job, make_services
from tests.render_fakes import write_features, write_flac
from tests.standins.r2 import open_r2
from tests.web_builders import make_result

SECRET = b"a secret of the web app, 32 bytes"
PREPARE, DISPATCH = StepKey(StepName.PREPARE_AUDIO), StepKey(StepName.DISPATCH_MODAL)
FRAMES = 100


@dataclass
class MemoryDispatcher:
    """Writes down what it is asked; `answers` is what calls came to, `errors` what requests meet."""

    spawned: list[tuple[str, Order]] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    looked: list[str] = field(default_factory=list)
    answers: dict[str, Report | EtherealError] = field(default_factory=dict)
    errors: list[EtherealError] = field(default_factory=list)

    def spawn(self, function: str, order: Order) -> str:
        self._fail()
        self.spawned.append((function, order))
        return f"fc-{len(self.spawned)}"

    def look(self, call_id: str) -> Report | None:
        self._fail()
        self.looked.append(call_id)
        answer = self.answers.get(call_id)
        if isinstance(answer, EtherealError):
            raise answer
        return answer

    def cancel(self, call_id: str) -> None:
        self._fail()
        self.cancelled.append(call_id)

    def _fail(self) -> None:
        if self.errors:
            raise self.errors.pop(0)


def with_cloud(services: Services, clock: HandClock, objects: ObjectStore) -> Services:
    """The same services, whose renders are drawn elsewhere."""
    cloud = Cloud(
        dispatcher=MemoryDispatcher(),
        report_url="http://127.0.0.1:1/api/webhooks/worker",
        secret=SECRET,
        pause=lambda seconds: clock.turn(timedelta(seconds=seconds)),
    )
    return replace(services, cloud=cloud, objects=objects)


@contextmanager
def open_cloud_services(folder: Path, clock: HandClock) -> Iterator[Services]:
    """Services whose renders are drawn elsewhere, over a bucket of their own."""
    with open_r2() as r2:
        yield with_cloud(make_services(folder, clock=clock), clock, R2ObjectStore(r2.bucket()))


def dispatcher_of(services: Services) -> MemoryDispatcher:
    assert services.cloud is not None
    assert isinstance(services.cloud.dispatcher, MemoryDispatcher)
    return services.cloud.dispatcher


def add_prepared(services: Services, **request: object) -> Job:
    """A job whose inputs are stored and which is to be dispatched."""
    job = add_job(services, **({"output_format": "draft-360p", "fps": "24", "quality": "draft"} | request))
    inputs = write_features(services.scratch / "inputs", FRAMES)
    write_flac(inputs / "audio.flac", np.zeros(48_000 * 5, np.float32))
    for file in inputs.iterdir():
        services.objects.put(keys.render_features(job.id, file.name), file)
    assert run_step(services, job.id, PREPARE, lambda attempt: _ignore(attempt.commit([DISPATCH])))
    return job


def deliver(services: Services, job: Job, video: bytes = b"a video", **changes: object) -> RenderResult:
    """Put a video as the renderer does, and say what it is."""
    path = services.scratch / "video"
    path.write_bytes(video)
    services.objects.put(keys.render_output(job.id, "mp4"), path)
    fields = {"contact_key": keys.render_contact(job.id), "size_bytes": len(video)} | changes
    return make_result(job.id, **fields)


def make_report(job: Job, attempt: int = 1, **said: object) -> Report:
    """A report of the first call, unless it says otherwise."""
    fields: dict[str, object] = {"call_id": "fc-1", "sequence": 10, "status": "progress"}
    if "result" in said:
        fields["status"] = "complete"
    elif "error" in said:
        fields |= {"status": "failed", "error": Trouble(code=str(said.pop("error")), message="it failed")}
    else:
        fields |= {"stage": "rendering", "progress": 50.0}
    return Report.model_validate({"job_id": job.id, "attempt": attempt} | fields | said)


def called(services: Services) -> Job:
    """A prepared job whose call was made."""
    job = add_prepared(services)
    assert dispatch(services, job.id)
    return job


def claimed_and_killed(services: Services, job_id: JobId) -> Lease:
    """A worker that claimed the step, made a call, and was killed before it could store it."""
    limits = services.limits
    return services.jobs.claim(
        job_id,
        DISPATCH,
        owner="killed",
        now=services.clock(),
        lease=limits.lease,
        time_limit=limits.step,
    ).lease


def last(services: Services) -> str:
    """The id of the latest call."""
    return f"fc-{len(dispatcher_of(services).spawned)}"


def step_of(services: Services, job: Job, key: StepKey = DISPATCH) -> Step:
    return next(step for step in services.jobs.steps(job.id) if step.key == key)


def _ignore(told: object) -> None:
    pass
