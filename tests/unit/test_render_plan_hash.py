"""The plan hash, spelled out a second time here so that it cannot change unnoticed."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from ethereal.render.canonical_json import canonical_json
from ethereal.render.plan_hash import files_of, plan_hash_of


def framed(*fields: bytes) -> str:
    return hashlib.sha256(b"".join(len(field).to_bytes(8, "big") + field for field in fields)).hexdigest()


def write(directory: Path, files: dict[str, bytes]) -> dict[str, Path]:
    for name, content in files.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_bytes(content)
    return files_of(directory)


def test_it_is_the_sha256_of_framed_fields(tmp_path: Path) -> None:
    files = write(tmp_path, {"b.json": b"{}", "a/z.js": b"draw", "a.f32": b"", "plan.json": b"not hashed"})

    found = plan_hash_of(files, {"protocol": 1, "planHash": "old", "chunkCount": 9, "fps": "30/1"})

    assert found == framed(
        b"ethereal-plan-1",
        b"a.f32",
        b"",
        b"a/z.js",
        b"draw",
        b"b.json",
        b"{}",
        b'{"fps":"30/1","protocol":1}',
    )
    assert found == "0468b15c98505c30457776b21dfa9a1ffa2f7404695ba1282e8b8795a128e142"


def test_the_files_come_in_byte_order_of_their_paths(tmp_path: Path) -> None:
    files = write(tmp_path, {"\U0001f525.js": b"", "\uff5e.js": b"", "a.js": b"", "a/b.js": b""})

    assert list(files) == ["a.js", "a/b.js", "\uff5e.js", "\U0001f525.js"]


def test_bytes_moved_from_one_file_to_the_next_change_it(tmp_path: Path) -> None:
    one = plan_hash_of(write(tmp_path / "1", {"a": b"xy", "b": b"z"}), {})
    two = plan_hash_of(write(tmp_path / "2", {"a": b"x", "b": b"yz"}), {})

    assert one != two


def test_canonical_json_has_one_spelling() -> None:
    assert canonical_json({"b": [1.5, "é"], "a": None}) == '{"a":null,"b":[1.5,"é"]}'.encode()
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json(float("nan"))
