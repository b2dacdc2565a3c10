"""Every error this product raises on purpose.

EtherealError
├── InvalidInputError          the caller must change something
│   ├── UnreadableAudioError   not audio, or no sound track in it
│   ├── TooLargeError          over a limit of size or length
│   │   └── QuotaExceededError the library is full
│   ├── UnsafeAddressError     an address we do not open
│   ├── InvalidConfigError     a plan cannot be made from this request
│   └── FormatNotSupportedError
├── ForbiddenError             the signature or token does not fit
│   └── UnauthorizedError      no proof of who is asking
├── NotFoundError              no such job or object
│   └── GoneError              it was there and was removed
├── ConflictError              the job has moved on
│   └── LeaseLostError         another attempt owns the step now
├── TooManyRequestsError       asked more often than one may
│   └── TooManyJobsError       more jobs wait than may
├── NotBuiltError              asked for something that is not built yet
├── MisconfiguredError         a service refuses what the settings say: whoever runs this must act
├── TimeLimitError             a step ran longer than it may
├── ChildFailedError           a child process ended badly
├── RenderError                drawing, encoding or joining went wrong
│   ├── PlanTooLargeError, PlanProtocolError, PlanHashMismatchError, MissingPlanArtifactError
│   ├── ChunkIndexError, ChunkCorruptError
│   ├── EncoderMismatchError, EncoderMissingError, RendererMismatchError
│   └── SceneFailedError, BrowserCrashedError, CallLostError, OutOfDiskError
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
    """Something that nobody foresaw went wrong.

    Base of every deliberate error; `code` is stable and public.
    """

    code: ClassVar[str] = "INTERNAL_ERROR"
    retry: ClassVar[Retry] = Retry.NEVER


class InvalidInputError(EtherealError):
    """The caller must change something; `details` maps a field to what is wrong with it."""

    code = "VALIDATION_ERROR"

    def __init__(self, message: str, details: Mapping[str, Sequence[str]] | None = None) -> None:
        super().__init__(message)
        self.details = {field: list(messages) for field, messages in (details or {}).items()}


class UnreadableAudioError(InvalidInputError):
    """The file is no audio, or has no sound track, or is damaged."""

    code = "UNREADABLE_AUDIO"


class TooLargeError(InvalidInputError):
    """Over a limit of size or length."""

    code = "TOO_LARGE"


class QuotaExceededError(TooLargeError):
    """The assets that are there take all the room there is: delete some."""

    code = "QUOTA_EXCEEDED"


class UnsafeAddressError(InvalidInputError):
    """An address that is not opened: not public, or of a kind that is not fetched from."""

    code = "UNSAFE_ADDRESS"


class InvalidConfigError(InvalidInputError):
    """What was asked for, or set, cannot be made into a plan or a service."""

    code = "INVALID_CONFIG"


class FormatNotSupportedError(InvalidInputError):
    """A format that cannot be rendered in chunks, such as GIF, or not yet, such as HDR."""

    code = "FORMAT_NOT_SUPPORTED_IN_DISTRIBUTED"


class ForbiddenError(EtherealError):
    """The signature or the token does not fit."""

    code = "FORBIDDEN"


class UnauthorizedError(ForbiddenError):
    """No proof of who is asking."""

    code = "UNAUTHORIZED"


class NotFoundError(EtherealError):
    """No such job, object or plan."""

    code = "NOT_FOUND"


class GoneError(NotFoundError):
    """It was there and was removed."""

    code = "GONE"


class ConflictError(EtherealError):
    """The job has moved on, or the key was used for something else."""

    code = "CONFLICT"


class LeaseLostError(ConflictError):
    """Another attempt owns the step now; what this one made is dropped."""

    code = "LEASE_LOST"


class TooManyRequestsError(EtherealError):
    """Asked more often than one may; the same call works after `retry_after` seconds."""

    code = "TOO_MANY_REQUESTS"
    retry = Retry.LATER

    def __init__(self, message: str, retry_after: int = 1) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class TooManyJobsError(TooManyRequestsError):
    """As many jobs wait and run as may: send more when some of them have ended."""

    code = "TOO_MANY_JOBS"

    def __init__(self, message: str, retry_after: int = 15) -> None:
        super().__init__(message, retry_after)


class NotBuiltError(EtherealError):
    """Asked for something that is not built yet."""

    code = "NOT_BUILT"


class MisconfiguredError(EtherealError):
    """A service refuses what the settings say: whoever runs this must act."""

    code = "MISCONFIGURED"


class TimeLimitError(EtherealError):
    """It took longer than it may."""

    code = "TIME_LIMIT"


class ChildFailedError(EtherealError):
    """A child process ended badly."""

    code = "CHILD_FAILED"
    retry = Retry.ONCE


class RenderError(EtherealError):
    """Drawing, encoding or joining went wrong in a way that has no code of its own."""

    code = "RENDER_FAILED"


class PlanTooLargeError(RenderError):
    """The plan is over its limit; the message says how large each part of it is."""

    code = "PLAN_TOO_LARGE"


class PlanProtocolError(RenderError):
    """The plan was made by a version that this worker does not know."""

    code = "PLAN_PROTOCOL_UNSUPPORTED"


class PlanHashMismatchError(RenderError):
    """The bytes of the plan are not those that its hash names."""

    code = "PLAN_HASH_MISMATCH"
    retry = Retry.AFTER_FETCH


class MissingPlanArtifactError(RenderError):
    """A file of the plan is not there."""

    code = "MISSING_PLAN_ARTIFACT"
    retry = Retry.AFTER_FETCH


class ChunkIndexError(RenderError):
    """The plan has no chunk of that number."""

    code = "CHUNK_INDEX_OUT_OF_RANGE"


class ChunkCorruptError(RenderError):
    """A chunk is not what was rendered; `files` names those to render again."""

    code = "CHUNK_CORRUPT"
    retry = Retry.REDO

    def __init__(self, message: str, files: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.files = tuple(files)


class EncoderMismatchError(RenderError):
    """This worker encodes with other libraries, or to other bytes, than the plan was made with."""

    code = "ENCODER_VERSION_MISMATCH"
    retry = Retry.ELSEWHERE


class EncoderMissingError(RenderError):
    """This worker lacks the encoder: it needs hardware that is not there or does not keep its word."""

    code = "ENCODER_MISSING"
    retry = Retry.ELSEWHERE


class RendererMismatchError(RenderError):
    """This worker draws other pixels than the plan was made with."""

    code = "RENDERER_MISMATCH"
    retry = Retry.ELSEWHERE


class SceneFailedError(RenderError):
    """The page failed, lost its GL context, or drew nothing."""

    code = "SCENE_FAILED"
    retry = Retry.ONCE


class BrowserCrashedError(RenderError):
    """The browser died or did not start."""

    code = "BROWSER_CRASHED"
    retry = Retry.ELSEWHERE


class CallLostError(RenderError):
    """A call elsewhere ended without an answer: its machine died, or it was stopped or forgotten there."""

    code = "CALL_LOST"
    retry = Retry.ELSEWHERE


class OutOfDiskError(RenderError):
    """The disk of this worker is full."""

    code = "OUT_OF_DISK"
    retry = Retry.ELSEWHERE


class UnavailableError(EtherealError):
    """A service does not answer; the same call may work later."""

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


def error_named(code: str) -> type[EtherealError]:
    """The error with that code, as another machine told it; one that nobody foresaw when there is none."""
    return next((kind for kind in all_errors() if kind.code == code), EtherealError)
