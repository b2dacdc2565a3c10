"""A scene reads no further than it declares: frames that see the same numbers are the same picture."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path

import pytest

from ethereal.errors import SceneFailedError
from ethereal.render.capture import open_chromium_renderer
from ethereal.render.formats import FRAME_RATES, spell_fps
from ethereal.scenes import scene_files
from ethereal.scenes.reach import load_reach
from tests.cards import write_scene

#: Tries each read and tells by an error which were refused.
_CURIOUS = """
const tries = {
  near: () => features.value("rms", frame - 2) + features.value("rms", frame + 1.9),
  past: () => features.value("rms", frame - 3),
  ahead: () => features.value("rms", frame + 2),
  nowhere: () => features.value("rms", NaN),
  column: () => features.value("bass", frame),
  tempo: () => features.tempo,
  beatConfidence: () => features.beatConfidence,
  frameCount: () => features.frameCount,
};
const isRefused = (read) => {
  try {
    read();
    return false;
  } catch (error) {
    if (!error.message.includes("reach.json")) throw error;
    return true;
  }
};
const refused = Object.keys(tries).filter((name) => isRefused(tries[name]));
if (frame === 5) throw new Error(`names ${features.names}, refused ${refused}.`);
"""


def with_reach(directory: Path, **reach: object) -> Path:
    path = directory / "composition.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "reach": reach}))
    scene = directory / "composition" / "grey" / "scene.js"
    scene.write_text(scene.read_text().replace("create(gl)", "create(gl, { features })"))
    return directory


def draw(directory: Path, count: int = 6) -> None:
    with open_chromium_renderer(directory) as opened:
        for _ in opened.draw(range(count)):
            pass


def test_what_a_scene_reads_beyond_its_reach_is_an_error(tmp_path: Path) -> None:
    directory = with_reach(
        write_scene(tmp_path, draw=_CURIOUS), before=2, after=1, features=["rms"], whole=["tempo"]
    )

    refused = "past,ahead,nowhere,column,beatConfidence,frameCount"
    with pytest.raises(SceneFailedError, match=f"names rms, refused {refused}\\."):
        draw(directory)


def test_a_scene_that_listens_before_it_draws_is_an_error(tmp_path: Path) -> None:
    directory = write_scene(tmp_path, create="features.value('rms', 0);")

    with pytest.raises(SceneFailedError, match=r"while it draws no frame, which is beyond its reach\.json"):
        draw(with_reach(directory, before=2, after=1, features=["rms"], whole=[]))


_EVERY_FLAME = """
for (const [fps, reach] of %s) {
  const value = (name, frame) => Math.abs(Math.sin(7 * frame + name.length));
  const { features, during } = limitFeatures({ names: [...reach.features, "width"], value }, reach);
  const frame = { extent: [1, 1], shore: -0.3 };
  const flow = makeFlow({ frame, seed: 7, fps: parseRate(fps), parameters: defaults, features });
  const data = new Float32Array(SPARK_FLOATS * SPARK_CAPACITY);
  for (let at = 300; at < 320; at += 1) during(at, () => flow(at).writeSparks(data));
}
"""
_IMPORTS = """
import { limitFeatures, parseRate } from "../runtime.js";
import { makeFlow } from "../flame/flow.js";
import { parameters as declared } from "../flame/parameters.js";
import { SPARK_CAPACITY, SPARK_FLOATS } from "../flame/sparks.js";
const defaults = Object.fromEntries(Object.entries(declared).map(([name, rule]) => [name, rule.default]));
"""


def test_the_flame_stays_within_its_reach_at_every_frame_rate(tmp_path: Path) -> None:
    reaches = []
    for fps in FRAME_RATES:
        reach = load_reach("flame", fps)
        assert reach is not None
        reaches.append((spell_fps(fps), asdict(reach)))
    directory = write_scene(tmp_path, create=_EVERY_FLAME % json.dumps(reaches))
    for place, file in scene_files("flame").items():
        target = directory / "composition" / place
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
    scene = directory / "composition" / "grey" / "scene.js"
    scene.write_text(_IMPORTS + scene.read_text())

    draw(directory, count=1)
