"""A page gets the columns of the features that its scene may read, and no others."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from ethereal.render.capture.within_reach import read_within_reach

NAMES = ["rms", "bass", "beat", "width"]


def written(folder: Path, **composition: object) -> Path:
    (folder / "composition.json").write_text(json.dumps(composition))
    facts = {"version": 2, "fps": "24/1", "frameCount": 3, "tempo": 120, "beatConfidence": 1}
    (folder / "features.json").write_text(
        json.dumps({**facts, "names": NAMES, "beats": [0.5], "sha256": "x"})
    )
    return folder


def test_only_columns_within_reach_are_given_in_their_order(tmp_path: Path) -> None:
    rows = np.arange(12, dtype="<f4").reshape(3, 4)

    within = read_within_reach(written(tmp_path, reach={"features": ["width", "bass", "air"]}))

    assert within is not None
    told = json.loads(within.description)
    assert (told["names"], told["frameCount"], told["tempo"]) == (["bass", "width"], 3, 120)
    assert within.rows(rows.tobytes()) == rows[:, [1, 3]].tobytes()


def test_a_scene_that_reads_nothing_gets_nothing(tmp_path: Path) -> None:
    within = read_within_reach(written(tmp_path, reach={"features": []}))

    assert within is not None
    assert within.rows(bytes(48)) == b""


def test_what_is_damaged_is_left_for_the_page_to_refuse(tmp_path: Path) -> None:
    directory = written(tmp_path, reach={"features": ["rms"]})
    within = read_within_reach(directory)

    assert within is not None
    assert within.rows(bytes(47)) == bytes(47)
    (directory / "features.json").write_text("no JSON")
    assert read_within_reach(directory) is None


def test_a_scene_without_a_reach_gets_everything(tmp_path: Path) -> None:
    assert read_within_reach(written(tmp_path)) is None
