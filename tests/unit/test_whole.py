"""Files and directories appear whole or not at all, whoever else makes them."""

from __future__ import annotations

import errno
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ethereal.errors import OutOfDiskError
from ethereal.whole import whole_directory, whole_file


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*"))


def test_a_file_is_seen_only_when_it_is_whole(tmp_path: Path) -> None:
    output = tmp_path / "new" / "file"

    with whole_file(output) as partial:
        partial.write_text("all of it")
        assert not output.exists()

    assert output.read_text() == "all of it"
    assert names(tmp_path) == ["file", "new"]


def test_what_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    def write_half() -> None:
        with whole_file(tmp_path / "file") as partial:
            partial.write_text("half")
            raise RuntimeError

    (tmp_path / "file").write_text("old")

    with pytest.raises(RuntimeError):
        write_half()

    assert (tmp_path / "file").read_text() == "old"
    assert names(tmp_path) == ["file"]


@pytest.mark.parametrize("old", ["directory", "full directory", "file", "nothing"])
def test_a_directory_takes_the_place_of_whatever_was_there(tmp_path: Path, old: str) -> None:
    output = tmp_path / "plan"
    if "directory" in old:
        output.mkdir()
    if "full" in old:
        (output / "old").touch()
    if old == "file":
        output.touch()

    with whole_directory(output) as fresh:
        (fresh / "new").touch()

    assert names(tmp_path) == ["new", "plan"]


def test_many_may_make_one_directory_at_once(tmp_path: Path) -> None:
    def make(number: int) -> None:
        with whole_directory(tmp_path / "plan") as fresh:
            for part in ("a", "b"):
                (fresh / part).write_text(str(number))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(make, range(64)))

    assert names(tmp_path) == ["a", "b", "plan"]
    assert (tmp_path / "plan" / "a").read_text() == (tmp_path / "plan" / "b").read_text()


@pytest.mark.parametrize(("number", "expected"), [(errno.ENOSPC, OutOfDiskError), (errno.EACCES, OSError)])
def test_a_full_disk_is_told_from_other_trouble(
    tmp_path: Path, number: int, expected: type[Exception]
) -> None:
    with pytest.raises(expected), whole_file(tmp_path / "file"):
        raise OSError(number, "trouble")
