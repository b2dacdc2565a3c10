"""Every error this product raises on purpose.

EtherealError
├── InvalidInputError          the caller must change something
│   ├── UnreadableAudioError   not audio, or no sound track in it
│   ├── TooLargeError          over a limit of size or length
│   ├── UnsafeAddressError     an address we do not open
│   ├── InvalidConfigError     a plan cannot be made from this request
│   └── FormatNotSupportedError
├── ForbiddenError             the signature or token does not fit
│   └── UnauthorizedError      no proof of who is asking
├── NotFoundError              no such job or object
│   └── GoneError              it was there and was removed
├── ConflictError              the job has moved on
│   └── LeaseLostError         another attempt owns the step now
├── NotBuiltError              asked for something that is not built yet
├── MisconfiguredError         a service refuses what the settings say: whoever runs this must act
├── TimeLimitError             a step ran longer than it may
├── ChildFailedError           a child process ended badly
├── RenderError                drawing, encoding or joining went wrong
│   ├── PlanTooLargeError, PlanProtocolError, PlanHashMismatchError, MissingPlanArtifactError
│   ├── ChunkIndexError, ChunkCorruptError
│   ├── EncoderMismatchError, RendererMismatchError
│   └── SceneFailedError, BrowserCrashedError, OutOfDiskError
└── UnavailableError           a dependency is down; the same call may work later
    └── StoreUnavailableError, StorageUnavailableError, BrokerUnavailableError, DispatchUnavailableError

The type alone says who must act and whether a retry can help (`retry`): nobody reads a message to decide.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import ClassVar


class Retry(StrEnum):
    """What may heal an error."""

    NEVER = "never"
    LATER = "later"  # the same call, after a back-off
    AFTER_FETCH = "after-fetch"  # once the inputs were fetched afresh
    ELSEWHERE = "elsewhere"  # on another worker, after a back-off
    ONCE = "once"  # one more time, with a fresh process
    REDO = "redo"  # once the inputs it names were made again, each of them once


#: How many tries each rule is worth; the others as many as there are.
_TRIES = {Retry.NEVER: 1, Retry.ONCE: 2, Retry.AFTER_FETCH: 2, Retry.REDO: 1}


class EtherealError(Exception):
    """Base of every deliberate error. `code` is stable and public."""

    code: ClassVar[str] = "INTERNAL_ERROR"
    retry: ClassVar[Retry] = Retry.NEVER


class InvalidInputError(EtherealError):
    """The caller must change something; `details` maps a field to what is wrong with it."""

    code = "VALIDATION_ERROR"

    def __init__(self, message: str, details: Mapping[str, Sequence[str]] | None = None) -> None:
        super().__init__(message)
        self.details = {field: list(messages) for field, messages in (details or {}).items()}


class UnreadableAudioError(InvalidInputError):
    code = "UNREADABLE_AUDIO"


class TooLargeError(InvalidInputError):
    code = "TOO_LARGE"


class UnsafeAddressError(InvalidInputError):
    code = "UNSAFE_ADDRESS"


class InvalidConfigError(InvalidInputError):
    code = "INVALID_CONFIG"


class FormatNotSupportedError(InvalidInputError):
    code = "FORMAT_NOT_SUPPORTED_IN_DISTRIBUTED"


class ForbiddenError(EtherealError):
    code = "FORBIDDEN"


class UnauthorizedError(ForbiddenError):
    code = "UNAUTHORIZED"


class NotFoundError(EtherealError):
    code = "NOT_FOUND"


class GoneError(NotFoundError):
    code = "GONE"


class ConflictError(EtherealError):
    code = "CONFLICT"


class LeaseLostError(ConflictError):
    code = "LEASE_LOST"


class NotBuiltError(EtherealError):
    code = "NOT_BUILT"


class MisconfiguredError(EtherealError):
    code = "MISCONFIGURED"


class TimeLimitError(EtherealError):
    code = "TIME_LIMIT"


class ChildFailedError(EtherealError):
    code = "CHILD_FAILED"
    retry = Retry.ONCE


class RenderError(EtherealError):
    code = "RENDER_FAILED"


class PlanTooLargeError(RenderError):
    code = "PLAN_TOO_LARGE"


class PlanProtocolError(RenderError):
    code = "PLAN_PROTOCOL_UNSUPPORTED"


class PlanHashMismatchError(RenderError):
    code = "PLAN_HASH_MISMATCH"
    retry = Retry.AFTER_FETCH


class MissingPlanArtifactError(RenderError):
    code = "MISSING_PLAN_ARTIFACT"
    retry = Retry.AFTER_FETCH


class ChunkIndexError(RenderError):
    code = "CHUNK_INDEX_OUT_OF_RANGE"


class ChunkCorruptError(RenderError):
    """`files` names the chunks to render again."""

    code = "CHUNK_CORRUPT"
    retry = Retry.REDO

    def __init__(self, message: str, files: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.files = tuple(files)


class EncoderMismatchError(RenderError):
    code = "ENCODER_VERSION_MISMATCH"
    retry = Retry.ELSEWHERE


class RendererMismatchError(RenderError):
    code = "RENDERER_MISMATCH"
    retry = Retry.ELSEWHERE


class SceneFailedError(RenderError):
    code = "SCENE_FAILED"
    retry = Retry.ONCE


class BrowserCrashedError(RenderError):
    code = "BROWSER_CRASHED"
    retry = Retry.ELSEWHERE


class OutOfDiskError(RenderError):
    code = "OUT_OF_DISK"
    retry = Retry.ELSEWHERE


class UnavailableError(EtherealError):
    code = "UNAVAILABLE"
    retry = Retry.LATER


class StoreUnavailableError(UnavailableError):
    """The job store does not answer."""


class StorageUnavailableError(UnavailableError):
    """The object store does not answer."""


class BrokerUnavailableError(UnavailableError):
    """The task queue's broker does not answer."""


class DispatchUnavailableError(UnavailableError):
    """The render farm does not take work."""


def is_worth_another(error: EtherealError, *, tries: int, most: int) -> bool:
    """Whether what failed with `error` on its try number `tries` may be tried again, `most` times in all."""
    return tries < min(_TRIES.get(error.retry, most), most)


def all_errors(root: type[EtherealError] = EtherealError) -> Iterator[type[EtherealError]]:
    """Yield `root` and every error below it, parents first."""
    yield root
    for child in root.__subclasses__():
        yield from all_errors(child)
