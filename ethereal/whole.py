"""Files and directories that appear whole or not at all, also when two runs make the same one at once."""

from __future__ import annotations

import contextlib
import errno
import glob
import hashlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from ethereal.errors import OutOfDiskError
from ethereal.scratch import open_scratch, sweep_scratch


@contextlib.contextmanager
def whole_file(output: Path) -> Iterator[Path]:
    """Give a path in a scratch directory beside `output`; what is there at the end becomes `output`."""
    with scratch_beside(output) as scratch:
        partial = scratch / output.name
        yield partial
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(output)


@contextlib.contextmanager
def whole_directory(output: Path) -> Iterator[Path]:
    """Give an empty directory that becomes `output` at the end, in place of what was there."""
    with scratch_beside(output) as scratch:
        fresh = scratch / "new"
        fresh.mkdir()
        yield fresh
        while not _moved(fresh, output):
            with contextlib.suppress(FileNotFoundError):
                output.rename(scratch / secrets.token_hex(4))


def _moved(source: Path, target: Path) -> bool:
    try:
        source.rename(target)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
            raise
        return False
    return True


@contextlib.contextmanager
def scratch_beside(output: Path) -> Iterator[Path]:
    """Make a directory on the disk of `output` for the length of the block. Raise OutOfDiskError.

    What killed processes left there of the same output is removed first.
    """
    sweep_scratch(output.parent, glob.escape(output.name))
    try:
        with open_scratch(output.parent, output.name) as scratch:
            yield scratch
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise OutOfDiskError(f"no space left for {output.name}") from error
        raise


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
