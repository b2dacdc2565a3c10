"""What a line of the log says, and whose ids it bears."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest

from ethereal import log
from ethereal.jobs.model import JobId, JobType, StepKey, StepName
from ethereal.pipeline.attempt import Attempt, run_step
from ethereal.pipeline.store_job import NOBODY, store_job
from ethereal.process import run_tool
from tests.builders import make_request, make_services

logger = logging.getLogger("ethereal.test")


@pytest.fixture(autouse=True)
def nothing_bound() -> None:
    """Tests of the web app run on this thread too, and leave the id of their last request."""
    log.rebind()


@pytest.fixture
def said() -> Iterator[StringIO]:
    """What is said, in JSON; the log of pytest comes back afterwards."""
    handlers, level = logging.root.handlers[:], logging.root.level
    text = StringIO()
    log.set_up("json", "INFO", to=text)
    yield text
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


def lines(said: StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in said.getvalue().splitlines()]


def test_a_line_bears_the_ids_of_what_is_worked_on_and_no_others(said: StringIO) -> None:
    with log.bind(jobId="j", requestId=""), log.bind(attempt=2):
        logger.info("drawn %d", 3)
    logger.info("idle")

    first, second = lines(said)
    assert (first["message"], first["level"], first["jobId"], first["attempt"]) == (
        "drawn 3",
        "INFO",
        "j",
        "2",
    )
    assert "requestId" not in first
    assert not {"jobId", "attempt"} & set(second)


def test_an_error_stays_on_its_line(said: StringIO) -> None:
    try:
        int("two\nlines")
    except ValueError:
        logger.exception("failed")

    (line,) = lines(said)
    assert "ValueError: invalid literal" in str(line["traceback"])


def test_another_thread_is_about_something_else(said: StringIO) -> None:
    with log.bind(jobId="j"):
        thread = threading.Thread(target=logger.info, args=("elsewhere",))
        thread.start()
        thread.join()

    assert "jobId" not in lines(said)[0]


def test_libraries_are_heard_when_they_warn(said: StringIO) -> None:
    logging.getLogger("celery.worker").info("received")
    logging.getLogger("celery.worker").warning("lost")

    assert [line["message"] for line in lines(said)] == ["lost"]


def test_people_read_the_ids_behind_the_message() -> None:
    record = logging.LogRecord("ethereal.x", logging.INFO, "", 0, "drawn", None, None)
    with log.bind(jobId="j", attempt=1):
        line = log.formatter("text").format(record)

    assert line.endswith("INFO ethereal.x: drawn jobId=j attempt=1")


def test_a_step_speaks_for_the_request_that_its_job_came_with(said: StringIO, tmp_path: Path) -> None:
    services = make_services(tmp_path)
    step = StepKey(StepName.PREPARE_AUDIO)
    with log.bind(requestId="from-a-proxy-17"):
        job = store_job(services, JobType.RENDER, make_request(), step, NOBODY)

    def work(attempt: Attempt) -> None:
        logger.info("working")

    run_step(services, JobId(job.id), step, work)

    line = next(line for line in lines(said) if line["message"] == "working")
    assert line["requestId"] == "from-a-proxy-17"
    assert (line["jobId"], line["step"], line["attempt"]) == (job.id, "prepare_audio.0", "1")


def test_a_process_that_is_started_meanwhile_knows_what_it_is_for() -> None:
    with log.bind(jobId="j", attempt=2):
        told = run_tool(["/usr/bin/env"], timeout=timedelta(seconds=20)).stdout.decode()
    untold = run_tool(["/usr/bin/env"], timeout=timedelta(seconds=20)).stdout.decode()

    assert "ETHEREAL_ABOUT=jobId=j attempt=2" in told.splitlines()
    assert "ETHEREAL_ABOUT" not in untold
