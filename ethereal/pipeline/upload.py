"""Audio from outside, streamed to the object store: too much, too little or no sound is refused at once."""

from __future__ import annotations

import hashlib
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ethereal.audio.probe import AudioFacts
from ethereal.audio.probe_child import probe_apart
from ethereal.errors import InvalidInputError, TooLargeError
from ethereal.scratch import open_scratch
from ethereal.services import Services
from ethereal.storage import keys
from ethereal.storage.content_types import CONTENT_TYPES, content_type_of
from ethereal.storage.keys import StorageKey
from ethereal.storage.store import UPLOAD, SignedUpload

_BLOCK = 1 << 18


@dataclass(frozen=True)
class Upload:
    """A stored file: its key, the sha256 of its bytes, and what its sound is."""

    key: StorageKey
    sha256: str
    facts: AudioFacts


def accept_upload(
    services: Services, stream: BinaryIO, *, filename: str, declared_size: int | None = None
) -> Upload:
    """Take a whole file in, look at its sound, and store it.

    Raise TooLargeError while streaming or for sound that is too long, InvalidInputError when the stream ends
    before `declared_size` bytes, UnreadableAudioError when it holds no sound. Nothing is left behind then.
    """
    with upload_folder(services) as folder:
        path = folder / f"upload.{keys.extension_of(filename)}"
        sha256 = receive(services, stream, path, declared_size=declared_size)
        facts = look_at(services, path)
        key = keys.upload(services.new_id(), filename)
        services.objects.put(key, path)
    return Upload(key, sha256, facts)


def receive(services: Services, stream: BinaryIO, path: Path, *, declared_size: int | None = None) -> str:
    """Write the stream to `path` and return its sha256. Raise as `accept_upload` does."""
    limit, size, digest = services.limits.upload_bytes, 0, hashlib.sha256()
    if declared_size is not None and declared_size > limit:
        raise _too_large(limit)
    with path.open("wb") as file:
        while block := stream.read(_BLOCK):
            size += len(block)
            if size > limit:
                raise _too_large(limit)
            digest.update(block)
            file.write(block)
    if declared_size is not None and size != declared_size:
        raise InvalidInputError(
            f"the upload ended after {size} of {declared_size} bytes", {"file": ["was cut off"]}
        )
    return digest.hexdigest()


def look_at(services: Services, path: Path) -> AudioFacts:
    """Probe a stranger's file in a process of its own. Raise UnreadableAudioError or TooLargeError."""
    facts = probe_apart(path)
    ensure_length(services, float(facts.duration))
    return facts


def ensure_length(services: Services, seconds: float) -> None:
    """Raise TooLargeError for sound that lasts longer than the limit."""
    if seconds > services.limits.audio.total_seconds():
        minutes = int(services.limits.audio.total_seconds() // 60)
        raise TooLargeError(
            f"the audio lasts {seconds / 60:.1f} minutes; the limit is {minutes}",
            {"file": [f"must not last longer than {minutes} minutes"]},
        )


def ensure_size(services: Services, size: int) -> None:
    """Raise TooLargeError for a file of more bytes than the limit."""
    if size > services.limits.upload_bytes:
        raise _too_large(services.limits.upload_bytes)


def ask_upload(services: Services, *, filename: str, content_type: str, size: int) -> SignedUpload:
    """A link to put one file of that size. Raise TooLargeError or InvalidInputError."""
    limit = services.limits.upload_bytes
    if size > limit:
        raise _too_large(limit)
    if size <= 0:
        raise InvalidInputError("an empty file", {"size": ["must be more than 0"]})
    extension = keys.extension_of(filename)
    if extension not in CONTENT_TYPES:
        known = ", ".join(sorted(CONTENT_TYPES))
        raise InvalidInputError("unknown kind of file", {"filename": [f"must end in one of {known}"]})
    return services.objects.sign_put(
        keys.upload(services.new_id(), filename),
        size=size,
        content_type=content_type or content_type_of(filename),
        lifetime=UPLOAD,
    )


def _too_large(limit: int) -> TooLargeError:
    return TooLargeError(
        f"the file is larger than {limit >> 20} MiB", {"file": [f"must not be over {limit >> 20} MiB"]}
    )


def upload_folder(services: Services) -> AbstractContextManager[Path]:
    """Where a file lies while it comes in."""
    return open_scratch(services.scratch, "upload")
