"""The promise, by real processes and a real browser: one plan gives one file, however it came to be.

The commands are those that another scheduler would run; each process has a working directory of its own.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from ethereal.render.assemble import VideoResult, assemble
from ethereal.render.capture import open_chromium_renderer
from ethereal.render.plan import make_plan
from tests.render_fakes import make_request, write_flac

ROOT = Path(__file__).parents[2]
GOP = 48
PATIENCE = 120.0
DRAW = """
import os
import sys
from pathlib import Path
plan_dir, out, cores, *indexes = sys.argv[1:]
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(cores)])
from ethereal.render.capture import open_chromium_renderer
from ethereal.render.chunk import render_chunk
from ethereal.render.warm import WarmRenderer
with WarmRenderer(open_chromium_renderer) as warm:
    for index in map(int, indexes):
        output = Path(out) / str(index)
        render_chunk(Path(plan_dir), index, output, open_renderer=warm, encoders=int(cores))
"""
COMMAND = """
import os
import sys
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(sys.argv.pop(1))])
from ethereal.cli import main
main()
"""


def start(code: str, *arguments: object, cwd: Path) -> subprocess.Popen[bytes]:
    cwd.mkdir(parents=True, exist_ok=True)
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def end(process: subprocess.Popen[bytes], status: int = 0) -> str:
    output, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == status, errors.decode()
    return output.decode()


def said(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    """The JSON object that a command prints."""
    told: dict[str, Any] = json.loads(end(process))
    return told


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def drawn_in(folder: Path, chunk_count: int) -> VideoResult:
    """Deal the video out to `chunk_count` chunks and draw them by two processes, on one core and on two."""
    request = make_request(folder / "in", frame_count=9 * GOP - 10, size=(160, 90), chunk_count=chunk_count)
    request = replace(request, composition=replace(request.composition, scene="flame", parameters={}))
    plan = make_plan(request, folder / "plan", open_renderer=open_chromium_renderer)
    processes = [
        start(DRAW, folder / "plan", folder, 1 + half, *share, cwd=folder / f"cwd-{half}")
        for half in (0, 1)
        if (share := range(chunk_count)[half::2])
    ]
    for process in processes:
        end(process)
    files = [folder / str(chunk.index) for chunk in plan.chunks]
    return assemble(folder / "plan", files[::-1], folder / "video.mp4")


def test_any_number_of_chunks_gives_one_file(tmp_path: Path) -> None:
    videos = [drawn_in(tmp_path / str(count), count) for count in (1, 2, 3, 7, 9)]

    assert {(video.plan_hash, video.sha256) for video in videos} == {(videos[0].plan_hash, videos[0].sha256)}
    assert sha256(videos[-1].path) == videos[0].sha256


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two and a half GOPs of a tone that beats."""
    time_axis = np.arange(48_000 * 5) / 48_000
    tone = 0.5 * np.sin(2 * np.pi * 110 * time_axis) * np.exp(-4 * (time_axis % 0.5))
    return write_flac(tmp_path_factory.mktemp("sound") / "sound.flac", tone.astype(np.float32))


def planned(sound: Path, folder: Path, chunk_count: int) -> subprocess.Popen[bytes]:
    asked = ("--format", "draft-360p", "--fps", "24", "--quality", "draft", "--chunks", chunk_count)
    return start(COMMAND, 2, "plan", sound, "plan", *asked, cwd=folder)


def kill_half_way(process: subprocess.Popen[bytes], output: Path) -> None:
    """Kill with no warning once coded pictures are being written."""
    until = time.monotonic() + PATIENCE
    while not any(part.stat().st_size for part in output.parent.glob(f".{output.name}.*/{output.name}")):
        assert process.poll() is None, "it ended before it was killed"
        assert time.monotonic() < until
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=PATIENCE)
    assert process.returncode == -signal.SIGKILL


@pytest.fixture(scope="module")
def videos(sound: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Made by commands: at one go on one core, and in two chunks, one killed half-way, one doubled."""
    one, two = tmp_path_factory.mktemp("one"), tmp_path_factory.mktemp("two")
    plans = [said(process) for process in (planned(sound, one, 1), planned(sound, two, 2))]
    assert plans[0]["planHash"] == plans[1]["planHash"]
    assert [len(plan["chunks"]) for plan in plans] == [1, 2]

    killed = start(COMMAND, 2, "render-chunk", "plan", 1, "c1", cwd=two)
    kill_half_way(killed, two / "c1")
    assert not (two / "c1").exists()

    end(start(COMMAND, 1, "render-chunk", "plan", 0, "c0", cwd=one))
    end(start(COMMAND, 2, "render-chunk", two / "plan", 1, two / "c1", cwd=two / "elsewhere"))
    doubled = [start(COMMAND, 2, "render-chunk", "plan", 0, "c0", cwd=two) for _ in range(2)]
    assert {said(process)["sha256"] for process in doubled} == {sha256(two / "c0")}

    end(start(COMMAND, 2, "assemble", "plan", "c0", "-o", "video.mp4", cwd=one))
    end(start(COMMAND, 2, "assemble", "plan", "c1", "c0", "-o", "video.mp4", cwd=two))
    return [one / "video.mp4", two / "video.mp4"]


def test_the_commands_give_one_file_on_one_core_and_on_two_after_a_kill_and_when_run_twice(
    videos: list[Path],
) -> None:
    assert sha256(videos[0]) == sha256(videos[1])


def change_a_bit(video: Path, kind: str, *, at: int) -> Path:
    """A copy with one bit changed in the middle of packet `at` of its picture or its sound."""
    with av.open(str(video)) as container:
        stream = next(stream for stream in container.streams if stream.type == kind)
        packet = next(islice(container.demux(stream), at, None))
        place = (packet.pos or 0) + packet.size // 2
    content = bytearray(video.read_bytes())
    content[place] ^= 1
    changed = video.with_name(f"changed-{kind}.mp4")
    changed.write_bytes(content)
    return changed


def test_verify_finds_a_video_equal_to_its_plan(videos: list[Path]) -> None:
    told = end(start(COMMAND, 2, "verify", "video.mp4", "--plan", "plan", "--gops", 2, cwd=videos[0].parent))

    assert told.count("yes") == 2
    assert "2 GOPs made again, 0 differ" in told


def test_verify_finds_the_gop_with_a_changed_bit(videos: list[Path]) -> None:
    changed = change_a_bit(videos[1], "video", at=100)

    told = end(start(COMMAND, 2, "verify", changed, "--plan", "plan", cwd=videos[1].parent), status=1)

    assert "3 GOPs made again, 1 differ" in told


def test_verify_finds_a_changed_bit_in_the_sound(videos: list[Path]) -> None:
    changed = change_a_bit(videos[1], "audio", at=50)

    told = end(
        start(COMMAND, 2, "verify", changed, "--plan", "plan", "--gops", 1, cwd=videos[1].parent), status=1
    )

    assert "1 GOPs made again, 0 differ" in told
    assert "the sound differs" in told


def test_verify_says_how_to_give_a_plan_that_is_not_kept_here(videos: list[Path], tmp_path: Path) -> None:
    process = start(COMMAND, 2, "verify", videos[0], cwd=tmp_path)
    _, errors = process.communicate(timeout=PATIENCE)

    assert process.returncode == 1
    assert b"NOT_FOUND" in errors
    assert b"--plan" in errors
