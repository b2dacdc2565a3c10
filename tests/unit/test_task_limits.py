"""Celery holds every task to the limit that the settings give its kind, and kills it soon after."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from ethereal.jobs.model import StepName

CONFIG = Path(__file__).parents[2] / "tasks" / "config.py"
HOUR = 60


def test_each_kind_of_step_has_its_own_limit_and_the_same_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    own = {StepName.INGEST_AUDIO: "INGEST", StepName.PREVIEW_EDIT: "PREVIEW", StepName.SAVE_EDIT: "SAVE"}
    for hours, name in enumerate([*own.values(), "RENDER"], start=1):
        monkeypatch.setenv(f"ETHEREAL_{name}_MINUTES", str(hours * HOUR))
    monkeypatch.setenv("ETHEREAL_GRACE_SECONDS", "7")

    config = runpy.run_path(str(CONFIG))

    usual = {"soft_time_limit": config["task_soft_time_limit"], "time_limit": config["task_time_limit"]}
    for step in StepName:
        hours = [*own, step].index(step) + 1 if step in own else 4
        limits = config["task_annotations"].get(step, usual)
        assert limits == {"soft_time_limit": hours * 3600, "time_limit": hours * 3600 + 7}, step
