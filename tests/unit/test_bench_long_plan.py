"""A long plan, made short: every stage leaves what the next one needs, and nothing large at the end."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from ethereal.bench.long_plan import STAGES, LongVideo, Stage, main


def test_a_plan_goes_through_every_stage_and_leaves_only_its_figures_and_stills(tmp_path: Path) -> None:
    (tmp_path / "video.json").write_text(json.dumps(asdict(LongVideo(4, "draft-360p"))))

    for name in STAGES:
        main(name, tmp_path)

    took = [Stage(**json.loads((tmp_path / f"{name}.json").read_bytes())) for name in STAGES]
    assert [stage.name for stage in took] == list(STAGES)
    assert all(stage.size_bytes > 0 and stage.peak_mib > 0 for stage in took)
    assert {path.suffix for path in tmp_path.iterdir()} == {".json", ".jpg"}
