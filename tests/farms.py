"""A job of the farm up to its plan, drawn with numpy: small and quick."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from ethereal.jobs.model import Job, StepKey, StepName
from ethereal.pipeline import render
from ethereal.pipeline.attempt import Attempt, run_step
from ethereal.render.kept import KeptRenderer
from ethereal.services import Services
from ethereal.storage import keys
from tests.builders import HandClock, add_job, make_services
from tests.render_fakes import open_numpy, write_features, write_flac

FRAMES, CHUNKS = 144, 3
PREPARE, PLAN = StepKey(StepName.PREPARE_AUDIO), StepKey(StepName.PLAN_RENDER)


def make_farm(folder: Path, clock: HandClock, worker: str = "") -> Services:
    """The services of a worker that draws."""
    return replace(
        make_services(folder, clock=clock),
        renderer=KeptRenderer(open_numpy),
        route="aa",
        worker=worker,
    )


def prepare_job(services: Services, folder: Path, container: str = "mp4") -> Job:
    """A job whose sound is prepared and whose plan is to be made."""
    job = add_job(
        services, output_format="draft-360p", fps="24", quality="draft", chunks=CHUNKS, container=container
    )
    inputs = write_features(folder / "inputs", FRAMES)
    write_flac(inputs / "audio.flac", np.zeros(48_000 * 6, np.float32))
    for file in inputs.iterdir():
        services.objects.put(keys.render_features(job.id, file.name), file)
    run_step(services, job.id, PREPARE, _to_plan)
    return job


def plan_job(services: Services, folder: Path, container: str = "mp4") -> Job:
    """A job whose plan is made and none of whose chunks is drawn."""
    job = prepare_job(services, folder, container)
    assert render.plan(services, job.id)
    return job


def _to_plan(attempt: Attempt) -> None:
    attempt.commit([PLAN])
