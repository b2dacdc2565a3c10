"""What people see of the work on sound: its stages in their order, each in its part of the bar."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ethereal.pipeline.edit import preview, save
from ethereal.pipeline.submit_edit import submit_preview, submit_save
from ethereal.services import Limits, Services
from tests.asset_builders import recipe, take_in
from tests.builders import make_services

INGEST = {"downloading": (10, 50), "analyzing": (55, 60), "finalizing": (80, 95)}
PREVIEW = {"downloading": (10, 25), "rendering": (30, 90), "uploading": (90, 90)}
SAVE = {"downloading": (5, 15), "rendering": (20, 80), "uploading": (80, 95), "finalizing": (95, 95)}


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return make_services(tmp_path, limits=Limits(beat=timedelta(0)))


@pytest.fixture
def told(services: Services, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, float]]:
    """The stage and the progress of each report, in their order."""
    told, report = list[tuple[str, float]](), services.jobs.report

    def watched(*args: Any, stage: str, progress: float, **kwargs: Any) -> None:
        told.append((stage, progress))
        report(*args, stage=stage, progress=progress, **kwargs)

    monkeypatch.setattr(services.jobs, "report", watched)
    return told


def ensure_as_promised(told: list[tuple[str, float]], promised: dict[str, tuple[int, int]]) -> None:
    assert list(dict.fromkeys(stage for stage, _ in told)) == list(promised)
    assert told == sorted(told, key=lambda report: (list(promised).index(report[0]), report[1]))
    for stage, progress in told:
        low, high = promised[stage]
        assert low <= progress <= high, stage


def test_an_ingest_goes_through_its_stages(services: Services, told: list[tuple[str, float]]) -> None:
    take_in(services)

    ensure_as_promised(told, INGEST)


def test_edits_go_through_theirs(services: Services, told: list[tuple[str, float]]) -> None:
    asset = take_in(services)
    told.clear()
    preview(services, submit_preview(services, recipe(asset))[0].id)
    ensure_as_promised(told, PREVIEW)
    told.clear()
    save(services, submit_save(services, recipe(asset, normalize=True)).id)

    ensure_as_promised(told, SAVE)
