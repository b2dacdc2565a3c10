"""Rendering in processes that are doubled, killed and left by their parent: one video comes out, or none."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import psutil
import pytest

from ethereal.errors import ChildFailedError, LeaseLostError
from ethereal.render.assemble import assemble
from ethereal.render.chunk_file import read_seal
from ethereal.render.local import LocalProgress, render_locally
from ethereal.render.plan import make_plan
from tests.render_fakes import make_request, open_numpy

RENDER = """
import sys
from functools import partial
from pathlib import Path
from ethereal.render.chunk import render_chunk
from tests.render_fakes import open_numpy
plan_dir, index, output, dies_at = sys.argv[1:]
opened = partial(open_numpy, dies_at=int(dies_at) if dies_at else None)
print(render_chunk(Path(plan_dir), int(index), Path(output), open_renderer=opened).sha256)
"""
LOCAL = """
import sys
from pathlib import Path
from ethereal.render.local import render_locally
from tests.render_fakes import make_request, open_numpy
request = make_request(Path(sys.argv[1]) / "in", frame_count=2400, chunk_count=4)
def tell(progress):
    if progress.frames_drawn > 100:
        print("drawing", flush=True)
render_locally(request, Path(sys.argv[1]) / "video.mp4", open_renderer=open_numpy, workers=2, tell=tell)
"""


def start(code: str, *arguments: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", code, *map(str, arguments)], stdout=subprocess.PIPE)


def finish(process: subprocess.Popen[bytes]) -> str:
    output, _ = process.communicate(timeout=150)
    assert process.returncode == 0
    return output.decode().strip()


def dealt(folder: Path, chunk_count: int, frame_count: int = 230) -> Path:
    request = make_request(folder / "in", frame_count=frame_count, chunk_count=chunk_count)
    make_plan(request, folder / f"plan-{chunk_count}", open_renderer=open_numpy)
    return folder / f"plan-{chunk_count}"


def test_one_two_and_five_processes_make_one_and_the_same_file(tmp_path: Path) -> None:
    digests = set()
    for count in (1, 2, 5):
        plan_dir = dealt(tmp_path, count)
        files = [tmp_path / f"{count}-{index}" for index in range(count)]
        processes = [start(RENDER, plan_dir, index, file, "") for index, file in enumerate(files)]
        drawn = [finish(process) for process in processes]
        assert drawn == [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]
        digests.add(assemble(plan_dir, files, tmp_path / "video.mp4").sha256)

    assert len(digests) == 1


def test_a_process_killed_half_way_leaves_no_chunk_and_the_next_makes_the_same(tmp_path: Path) -> None:
    plan_dir, output = dealt(tmp_path, 2), tmp_path / "out" / "chunk"
    whole = finish(start(RENDER, plan_dir, 1, tmp_path / "whole", ""))

    killed = start(RENDER, plan_dir, 1, output, 200)
    killed.communicate(timeout=150)

    assert killed.returncode == -signal.SIGKILL
    assert not output.exists()
    assert finish(start(RENDER, plan_dir, 1, output, "")) == whole
    assert read_seal(output).gop_count == 3


def test_two_runs_of_one_chunk_at_once_end_in_one_whole_file(tmp_path: Path) -> None:
    plan_dir, output = dealt(tmp_path, 1), tmp_path / "out" / "chunk"

    digests = {finish(process) for process in [start(RENDER, plan_dir, 0, output, "") for _ in range(2)]}

    assert digests == {hashlib.sha256(output.read_bytes()).hexdigest()}
    assert [path.name for path in output.parent.iterdir()] == ["chunk"]


def test_a_local_render_shares_the_chunks_and_tells_how_far_it_is(tmp_path: Path) -> None:
    request = make_request(tmp_path / "in", frame_count=230, chunk_count=3)
    told: list[LocalProgress] = []

    alone = render_locally(request, tmp_path / "one.mp4", open_renderer=open_numpy)
    shared = render_locally(
        request, tmp_path / "two.mp4", open_renderer=open_numpy, workers=2, tell=told.append
    )

    assert shared.sha256 == alone.sha256
    assert list(dict.fromkeys(progress.stage for progress in told)) == ["planning", "drawing", "assembling"]
    drawn = [progress.frames_drawn for progress in told]
    assert drawn == sorted(drawn)
    assert told[-1] == LocalProgress("assembling", 1.0, 230, 230)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "one.mp4", "two.mp4"]


def test_a_worker_that_dies_costs_only_its_chunk(tmp_path: Path) -> None:
    request = make_request(tmp_path / "in", frame_count=230, chunk_count=3)
    dying = partial(open_numpy, dies_at=150, once=tmp_path / "died")

    expected = render_locally(request, tmp_path / "expected.mp4", open_renderer=open_numpy)
    video = render_locally(request, tmp_path / "video.mp4", open_renderer=dying, workers=2)

    assert (tmp_path / "died").exists()
    assert video.sha256 == expected.sha256


def test_a_chunk_that_kills_every_worker_fails_the_render(tmp_path: Path) -> None:
    request = make_request(tmp_path / "in", frame_count=230, chunk_count=3)

    with pytest.raises(ChildFailedError, match="chunk 2"):
        render_locally(
            request, tmp_path / "video.mp4", open_renderer=partial(open_numpy, dies_at=150), workers=2
        )

    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_a_local_render_that_is_stopped_leaves_no_process_and_no_file(tmp_path: Path) -> None:
    request = make_request(tmp_path / "in", frame_count=1200, chunk_count=2)

    def stop(progress: LocalProgress) -> None:
        if progress.frames_drawn > 20:
            raise LeaseLostError

    with pytest.raises(LeaseLostError):
        render_locally(request, tmp_path / "video.mp4", open_renderer=open_numpy, workers=2, tell=stop)

    assert psutil.Process().children(recursive=True) == []
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_the_workers_die_with_the_process_that_wanted_the_video(tmp_path: Path) -> None:
    parent = start(LOCAL, tmp_path)
    assert parent.stdout is not None
    assert parent.stdout.readline() == b"drawing\n"
    workers = psutil.Process(parent.pid).children(recursive=True)

    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    parent.stdout.close()

    assert len(workers) >= 4, "two workers, each under its guard"
    psutil.wait_procs(workers)
    assert not (tmp_path / "video.mp4").exists()
