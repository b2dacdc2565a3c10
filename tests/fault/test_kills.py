"""kill -9 at chosen moments, of every kind of process: nothing is lost, nothing is done twice."""

from __future__ import annotations

import signal
from typing import Any

import psutil
import pytest

from tests.fault.farm import Farm
from tests.fault.jobs import Jobs
from tests.fault.moments import REAPER, Act, When, foretell, untold
from tests.waiting import until

pytestmark = pytest.mark.timeout(600)

#: One moment at each step of a render, and how the process ends there.
MOMENTS: tuple[tuple[str, str, When, Act], ...] = (
    ("prepare_audio", "claim", "after", "kill"),
    ("prepare_audio", "commit", "after", "kill-main"),
    ("upload_r2", "put", "before", "kill"),
    ("upload_r2", "commit", "before", "kill"),
    ("dispatch_modal", "commit", "after", "kill"),
    ("plan_render", "put", "after", "kill"),
    ("plan_render", "commit", "after", "kill"),
    ("draw_contact", "claim", "after", "kill"),
    ("render_chunk", "put", "before", "kill"),
    ("render_chunk", "commit", "after", "kill-main"),
    ("assemble_video", "put", "after", "kill"),
    ("assemble_video", "finish", "before", "kill"),
    ("assemble_video", "finish", "after", "kill"),
)


def test_a_render_that_is_killed_at_any_step_gives_the_same_video(farm: Farm, jobs: Jobs) -> None:
    calm = jobs.wait(jobs.render(seed=1))["result"]
    ended = list[dict[str, Any]]()
    for ends_all in (False, True):  # a worker that dies takes along who is just at a moment of its own
        moments = [moment for moment in MOMENTS if (moment[3] == "kill-main") == ends_all]
        ended += [jobs.wait(job_id) for job_id in [killed_at(farm, jobs, *moment) for moment in moments]]

    assert [job["status"] for job in ended] == ["complete"] * len(MOMENTS)
    assert [job["result"]["sha256"] == calm["sha256"] for job in ended].count(False) == 1, "another seed"


def killed_at(farm: Farm, jobs: Jobs, step: str, move: str, when: When, act: Act) -> str:
    """A render whose worker dies at that moment."""
    tag = f"k-{step}-{move}-{when}"
    foretell(farm.folder, tag, move, step=step, when=when, act=act)
    return jobs.render(seed=2 if (step, move) == ("render_chunk", "put") else 1, tag=tag)


def test_a_sound_is_taken_in_once_however_its_worker_dies(farm: Farm, jobs: Jobs) -> None:
    foretell(farm.folder, "p0", "put", step="preview_edit", when="after")
    foretell(farm.folder, "p0", "finish", step="preview_edit", when="before")
    foretell(farm.folder, "p1", "asset-note", step="preview_edit", when="after", act="kill-main")

    assert jobs.wait(jobs.preview("p0"))["status"] == "complete"
    assert jobs.wait(jobs.preview("p1"))["status"] == "complete"


def test_a_web_app_that_dies_before_it_answers_has_kept_the_job_or_not_had_it(farm: Farm, jobs: Jobs) -> None:
    foretell(farm.folder, "w0", "add", when="before")
    foretell(farm.folder, "w1", "add", when="after")
    foretell(farm.folder, "w2", "add", when="after", act="kill-main")

    ended = [jobs.wait(jobs.preview(f"w{number}")) for number in range(3)]

    assert [job["status"] for job in ended] == ["complete"] * 3


def test_a_reaper_that_dies_between_taking_and_telling_is_followed_by_another(farm: Farm, jobs: Jobs) -> None:
    farm.broker_wire.cut_pops()
    foretell(farm.folder, REAPER, "take_due", when="after", act="kill")
    foretell(farm.folder, REAPER, "release_expired", when="after", act="kill-main")

    assert jobs.wait(jobs.preview())["status"] == "complete"
    until(lambda: not untold(farm.folder))
    farm.broker_wire.heal()


def test_beat_and_control_come_back(farm: Farm, jobs: Jobs) -> None:
    for name in ("beat", "control"):
        starts = farm.daemons[name].starts
        farm.kill(name)
        until(lambda name=name, starts=starts: farm.daemons[name].starts > starts)  # type: ignore[misc]
    foretell(farm.folder, "b", "claim", step="preview_edit", when="after")

    assert jobs.wait(jobs.preview("b"))["status"] == "complete", "its lease was ended"


def test_a_job_that_kills_its_worker_each_time_fails_and_takes_no_other_along(farm: Farm, jobs: Jobs) -> None:
    for _ in range(int(farm.environment["ETHEREAL_MAX_ATTEMPTS"])):
        foretell(farm.folder, "poison", "claim", step="preview_edit", when="after")
    others = [jobs.preview() for _ in range(4)]
    poison = jobs.preview("poison")
    others += [jobs.preview() for _ in range(4)]

    ended = jobs.wait(poison, *others)

    assert (ended["status"], ended["error"]["code"]) == ("failed", "WORKER_LOST")
    assert {jobs.status(job_id) for job_id in others} == {"complete"}


def test_a_worker_that_slept_through_its_lease_changes_nothing_when_it_wakes(farm: Farm, jobs: Jobs) -> None:
    foretell(farm.folder, "s", "finish", step="preview_edit", when="before", act="stop")
    sleeper = jobs.preview("s")
    until(lambda: any(child.status() == psutil.STATUS_STOPPED for child in farm.children("worker")))
    stopped = next(child for child in farm.children("worker") if child.status() == psutil.STATUS_STOPPED)
    assert jobs.wait(sleeper)["status"] == "complete", "another did it"
    fenced = farm.journal("fenced finish")
    stopped.send_signal(signal.SIGCONT)

    until(lambda: farm.journal("fenced finish") > fenced)
