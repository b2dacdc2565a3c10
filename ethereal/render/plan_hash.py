"""The plan hash: it names everything that can change a byte of the video, and nothing else.

sha256 over length-framed fields: a protocol tag; every file of the plan but plan.json, path and bytes, in
byte order of the paths; plan.json in canonical form, less `planHash` and `chunkCount`. How GOPs are dealt to
chunks changes no byte: plans that differ in that alone share a hash, and their rendered chunks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from ethereal.render.canonical_json import canonical_json

PLAN_FILE = "plan.json"
TAG = b"ethereal-plan-1"
_NOT_HASHED = ("planHash", "chunkCount")
_BLOCK = 1 << 20


def files_of(directory: Path) -> dict[str, Path]:
    """Return every file of a plan but plan.json, by its path within, in byte order."""
    files = {path.relative_to(directory).as_posix(): path for path in directory.rglob("*") if path.is_file()}
    files.pop(PLAN_FILE, None)
    return dict(sorted(files.items(), key=lambda item: item[0].encode()))


def plan_hash_of(files: Mapping[str, Path], document: Mapping[str, object]) -> str:
    """Hash `files` as they are on disk, in the order given, and what plan.json says."""
    said = {key: value for key, value in document.items() if key not in _NOT_HASHED}
    digest = hashlib.sha256()
    add_field(digest, TAG)
    for name, path in files.items():
        add_field(digest, name.encode())
        add_file(digest, path)
    add_field(digest, canonical_json(said))
    return digest.hexdigest()


def add_field(digest: hashlib._Hash, field: bytes) -> None:
    """Hash a field behind its length, so that no two rows of fields hash alike."""
    digest.update(len(field).to_bytes(8, "big"))
    digest.update(field)


def add_file(digest: hashlib._Hash, path: Path) -> None:
    """Hash the content of a file as a field."""
    digest.update(path.stat().st_size.to_bytes(8, "big"))
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
