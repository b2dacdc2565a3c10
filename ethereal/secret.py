"""The secret of this data directory: made once by whoever comes first, readable by its owner alone."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path


def ensure_secret(path: Path) -> bytes:
    """Return the secret kept at `path`, made when there is none. Safe when several start at once."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        made = path.with_name(f".{path.name}-{os.getpid()}-{secrets.token_hex(4)}")
        descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32))
        with suppress(FileExistsError):  # somebody else was first: theirs is the secret
            path.hardlink_to(made)
        made.unlink()
    return path.read_bytes()
