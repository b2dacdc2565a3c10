"""A delivered video is compared with what its plan gives, and a machine is named by what it makes."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from ethereal.errors import InvalidInputError, RendererMismatchError
from ethereal.render.assemble import assemble
from ethereal.render.boxes import read_boxes
from ethereal.render.chunk import render_chunk
from ethereal.render.fingerprint import make_fingerprint
from ethereal.render.plan import make_plan
from ethereal.render.verify import compare_gops
from tests.render_fakes import make_request, open_numpy


@pytest.fixture
def video(tmp_path: Path) -> Path:
    plan_dir = tmp_path / "plan"
    make_plan(make_request(tmp_path / "in", frame_count=230), plan_dir, open_renderer=open_numpy)
    render_chunk(plan_dir, 0, tmp_path / "chunk", open_renderer=open_numpy)
    return assemble(plan_dir, [tmp_path / "chunk"], tmp_path / "video.mp4").path


def test_a_video_is_what_its_plan_gives(video: Path) -> None:
    told: list[float] = []

    checks = compare_gops(video.parent / "plan", video, range(5), open_renderer=open_numpy, beat=told.append)

    assert [(check.gop, check.is_equal) for check in checks] == [(gop, True) for gop in range(5)]
    assert checks[-1].frames == range(192, 230)
    assert all(0 < check.size_bytes == check.size_here for check in checks)
    assert told == sorted(told)


def test_one_changed_bit_is_found_in_its_gop(video: Path) -> None:
    content = bytearray(video.read_bytes())
    pictures = next(box for box in read_boxes(video) if box.kind == b"mdat")
    content[pictures.offset + pictures.size - 100] ^= 1
    video.write_bytes(content)

    found = compare_gops(video.parent / "plan", video, [4, 0, 2], open_renderer=open_numpy)

    assert [check.gop for check in found if not check.is_equal] == [4]


def test_a_machine_that_draws_otherwise_says_so_instead_of_finding_fault(video: Path) -> None:
    other = partial(open_numpy, shade=1)

    with pytest.raises(RendererMismatchError):
        compare_gops(video.parent / "plan", video, [0], open_renderer=other)


@pytest.mark.parametrize("gop", [-1, 5])
def test_a_gop_there_is_not_is_refused(video: Path, gop: int) -> None:
    with pytest.raises(InvalidInputError, match="0 to 4"):
        compare_gops(video.parent / "plan", video, [gop], open_renderer=open_numpy)


def test_a_fingerprint_names_what_is_drawn(tmp_path: Path) -> None:
    made = []
    for number, shade in enumerate((0, 0, 1)):
        (tmp_path / str(number)).mkdir()
        made.append(make_fingerprint(partial(open_numpy, shade=shade), tmp_path / str(number)))

    assert made[0] == made[1] != made[2]
