"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from ethereal.errors import OutOfDiskError

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})


@contextmanager
def whole_file(output: Path) -> Iterator[Path]:
    """Give a name to write under; the file moves to `output` only if nothing was raised.

    Raise OutOfDiskError when the disk fills up.
    """
    with scratch_beside(output) as scratch:
        unfinished = scratch / output.name
        yield unfinished
        unfinished.replace(output)


@contextmanager
def scratch_beside(output: Path) -> Iterator[Path]:
    """Give a directory on the disk of `output` for the length of the block."""
    try:
        with TemporaryDirectory(dir=output.parent, prefix=".unfinished-") as scratch:
            yield Path(scratch)
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise OutOfDiskError("There is no room on the disk for the sound.") from error
        raise


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
