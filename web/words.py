"""What people read: stages, statuses, errors and formats in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from ethereal.jobs.model import Job, JobStatus, JobType
from ethereal.jobs.request import SourceType

STATUS_WORDS: Mapping[JobStatus, str] = {
    JobStatus.PENDING: "Waiting",
    JobStatus.PROCESSING: "Rendering",
    JobStatus.COMPLETE: "Ready",
    JobStatus.FAILED: "Failed",
    JobStatus.CANCELLED: "Cancelled",
}

STAGE_WORDS: Mapping[str, str] = {
    "preparing": "Listening to the music",
    "resolving-audio": "Finding the sound",
    "uploading-audio": "Storing the prepared sound",
    "generating-url": "Making links for the renderer",
    "dispatching": "Handing over to the renderers",
    "dispatched-to-modal": "Waiting for a renderer in the cloud",
    "starting": "Starting a renderer in the cloud",
    "planning": "Planning the frames",
    "rendering": "Drawing the frames",
    "waiting-for-renderer": "Waiting for the kind of renderer that began this",
    "assembling": "Joining picture and sound",
    "uploading": "Saving the video",
    "checking": "Checking the video",
}

#: What the stages of an ingest, a preview and a save mean: some share a name with those of a render.
SOUND_STAGE_WORDS: Mapping[str, str] = {
    "downloading": "Fetching the sound",
    "analyzing": "Listening to it",
    "rendering": "Cutting and levelling the sound",
    "uploading": "Storing the sound",
    "finalizing": "Putting it into the library",
}

#: Where a sound came from.
SOURCE_WORDS: Mapping[SourceType, str] = {
    SourceType.YOUTUBE: "from YouTube",
    SourceType.URL: "from the web",
    SourceType.AUDIO_FILE: "from a file",
    SourceType.VIDEO_FILE: "from a video",
}

#: The road of a render as people see it, and the stages that belong to each part of it.
ROAD: tuple[tuple[str, frozenset[str]], ...] = (
    ("Listen", frozenset({"preparing", "resolving-audio", "uploading-audio", "generating-url"})),
    ("Plan", frozenset({"dispatching", "dispatched-to-modal", "starting", "planning"})),
    ("Draw", frozenset({"rendering", "waiting-for-renderer"})),
    ("Finish", frozenset({"assembling", "uploading", "checking"})),
)

#: What a person can do about an error, by its code.
HELP: Mapping[str, str] = {
    "UNREADABLE_AUDIO": "Try the original file, or export it again as WAV, FLAC, MP3 or M4A.",
    "TOO_LARGE": "Trim the audio or save it smaller, then send it again.",
    "QUOTA_EXCEEDED": "Delete sounds that are not needed, then try again.",
    "UNSAFE_ADDRESS": "Give an https address that everybody can reach, or send the file itself.",
    "TIME_LIMIT": "Try a shorter range, a smaller format or the draft quality.",
    "CALL_LOST": "Render again. If it happens every time, the machines in the cloud may be short of memory.",
    "WORKER_LOST": "Render again. If it happens every time, the machine may be short of memory.",
    "OUT_OF_DISK": "Free some space on the machine that renders, then render again.",
    "SCENE_FAILED": "Render again with another template or the built-in settings.",
    "INVALID_CONFIG": "Choose another format or frame rate, then render again.",
    "VALIDATION_ERROR": "Check the settings, then render again.",
}
_HELP_RETRYABLE = "Render again: this kind of trouble often passes by itself."
_HELP_FINAL = "Render again with other settings. If it stays, report the code and the time."


@dataclass(frozen=True)
class Trouble:
    """How a page tells of an error."""

    title: str
    help: str


_TROUBLE: Mapping[int, Trouble] = {
    400: Trouble("That did not work", "Go back, check what you sent, and try once more."),
    403: Trouble("Not allowed", "Load the page again. A link that came by mail may have expired."),
    404: Trouble("Nothing burns here", "The page or render does not exist, or it was deleted."),
    405: Trouble("Not this way", "Start again from the first page."),
    409: Trouble("Too late", "The render has moved on in the meantime. Look at how it stands now."),
    410: Trouble("Gone", "It was here, and has been removed."),
    413: Trouble("Too large", "Send a smaller file."),
    429: Trouble(
        "A little slower, please", "Wait a moment, then try once more. What you sent before goes on."
    ),
    501: Trouble("Not built yet", "This part of Ethereal is still to come."),
    503: Trouble("One moment", "A part of the system does not answer. Try again in a few seconds."),
}
_UNKNOWN = Trouble("Something went wrong", "Try again. If it stays, report the request id below.")


def trouble_of(status: int) -> Trouble:
    return _TROUBLE.get(status, _UNKNOWN)


def help_for(code: str, *, retryable: bool) -> str:
    return HELP.get(code, _HELP_RETRYABLE if retryable else _HELP_FINAL)


def stage_words(job: Job, queue_position: int | None) -> str:
    """What is happening to the job, in one short sentence."""
    match job.status:
        case JobStatus.PENDING if job.attempt:
            return "Trying again in a moment"
        case JobStatus.PENDING:
            return _queue_words(queue_position or 0)
        case JobStatus.PROCESSING:
            words = STAGE_WORDS if job.type is JobType.RENDER else SOUND_STAGE_WORDS
            return words.get(job.stage or "", "Starting")
        case status:
            return STATUS_WORDS[status]


def _queue_words(ahead: int) -> str:
    if ahead == 0:
        return "Next in line"
    return "1 render is ahead of you" if ahead == 1 else f"{ahead} renders are ahead of you"


def road_place(job: Job) -> int:
    """Which part of the road the job is on: -1 before it has begun, past the end when it is complete."""
    if job.status is JobStatus.COMPLETE:
        return len(ROAD)
    return next((at for at, (_, stages) in enumerate(ROAD) if job.stage in stages), -1)


def span_words(seconds: float) -> str:
    """A duration as people say it: 40 s, 3 min, 1 h 20 min."""
    whole = max(1, round(seconds))
    if whole < 90:
        return f"{whole} s"
    minutes = round(whole / 60)
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def eta_words(seconds: float, low: float, high: float) -> str:
    """How long it may still take, with the range it most likely falls in: about 40 s left (30 to 60)."""
    if high >= 5400:
        return f"about {span_words(seconds)} left"
    unit, size = ("s", 1) if high < 90 else ("min", 60)
    guess, least, most = (max(1, round(value / size)) for value in (seconds, low, high))
    between = f" ({least}–{most} {unit})" if least < most else ""  # noqa: RUF001 — a dash between numbers
    return f"about {guess} {unit} left{between}"


def rate_words(fps: Fraction) -> str:
    """Frames per second as people say it: 30, 29.97."""
    return f"{float(fps):.3f}".rstrip("0").rstrip(".")


def clock_words(seconds: float) -> str:
    """A length as a player shows it: 3:05."""
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02d}:{left:02d}" if hours else f"{minutes}:{left:02d}"


def size_words(size: int) -> str:
    """A size in bytes as people say it: 3.4 MB."""
    if size < 1_000_000:
        return f"{max(min(1, size), round(size / 1000))} kB"
    return f"{size / 1_000_000:.1f} MB" if size < 1_000_000_000 else f"{size / 1_000_000_000:.2f} GB"
