"""Rules of the house that are neither types nor imports."""

from __future__ import annotations

import re
from pathlib import Path

from tasks import config
from tasks.app import app

ROOT = Path(__file__).parents[1]
FLOORS = ("ethereal", "tasks", "web")


def source_files() -> list[Path]:
    return [path for floor in FLOORS for path in (ROOT / floor).rglob("*.py")]


def test_every_queue_is_listened_to_by_a_process_of_the_procfile() -> None:
    procfile = (ROOT / "Procfile").read_text()
    watched = {
        name for names in re.findall(r"(?:-Q|--queues)[ =](\S+)", procfile) for name in names.split(",")
    }

    assert {queue.name for queue in config.task_queues} == watched


def test_every_task_is_routed_to_a_queue_that_exists() -> None:
    app.loader.import_default_modules()
    ours = {name for name in app.tasks if not name.startswith("celery.")}

    assert {"prepare_audio", "upload_r2", "dispatch_modal"} <= ours
    assert set(config.task_routes) <= ours
    names = {queue.name for queue in config.task_queues}
    assert {route["queue"] for route in config.task_routes.values()} <= names
    assert {entry["task"] for entry in config.beat_schedule.values()} <= ours


def test_the_steps_of_sound_have_time_limits_of_their_own() -> None:
    app.loader.import_default_modules()
    limits = {name: app.tasks[name].soft_time_limit for name in ("ingest_audio", "preview_edit", "save_edit")}

    assert limits == {"ingest_audio": 600, "preview_edit": 300, "save_edit": 900}
    assert all(app.tasks[name].time_limit > limit for name, limit in limits.items())


def test_no_file_holds_more_than_one_idea_can_need() -> None:
    long = {
        path.name: lines for path in source_files() if (lines := len(path.read_text().splitlines())) > 400
    }

    assert long == {}


def test_no_room_is_a_drawer_for_everything() -> None:
    drawers = {"utils", "util", "helpers", "manager", "common", "base", "misc"}

    assert [path for path in source_files() if path.stem in drawers or path.parent.name in drawers] == []


def test_every_folder_states_its_rule() -> None:
    silent = [path for path in source_files() if path.name == "__init__.py" and '"""' not in path.read_text()]

    assert silent == []
