"""Fetches the sound of a YouTube video with yt-dlp, a child that reaches nothing but public addresses."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from ethereal.audio.addresses import PUBLIC_HTTPS, Address, AddressRule, read_address
from ethereal.audio.answers import harmless_name
from ethereal.audio.decode import clock
from ethereal.audio.pace import FetchLimits, too_large
from ethereal.audio.proxy import GuardedProxy, open_guarded_proxy
from ethereal.audio.source import FetchedSource, Resolver, resolve_name
from ethereal.beat import Beat, no_beat
from ethereal.errors import (
    ChildFailedError,
    InvalidInputError,
    NotBuiltError,
    TooLargeError,
    UnavailableError,
    UnsafeAddressError,
)
from ethereal.process import run_tool
from ethereal.storage.content_types import content_type_of
from ethereal.whole import scratch_beside, sha256_of

HOSTS = frozenset({"youtube.com", "www.youtube.com", "m.youtube.com", "music.youtube.com"})
TOOLS = ("yt-dlp", "yt-dlp-ejs", "deno")
HOW_TO_GET_IT = "YouTube needs yt-dlp: pip install 'yt-dlp[default]' deno"
NOT_FINISHED = frozenset({"is_live", "is_upcoming", "post_live"})
#: What yt-dlp says when the fault is the network's or YouTube's mood, not the video's.
_PASSING = re.compile(
    r"HTTP Error (429|5\d\d)|not a bot|timed out|Connection|IncompleteRead|Tunnel", re.IGNORECASE
)
_VIDEO_ID = re.compile(r"[A-Za-z0-9_-]{11}")
_FACTS, _PROGRESS = "ETHEREAL-FACTS ", "ETHEREAL-PROGRESS "
_BESIDE_THE_FILE = 32 << 20  # bytes of pages and scripts that come through the proxy too


@dataclass(frozen=True)
class _Video:
    """What yt-dlp tells before it downloads."""

    title: str = "audio"
    duration: Fraction | None = None
    live_status: str | None = None


def read_video_id(url: str) -> str:
    """Take the id out of a video's address. Raise InvalidInputError for playlists and all other addresses."""
    address = read_address(url.strip())
    found = _id_in(address)
    if found is None or not _VIDEO_ID.fullmatch(found):
        message = "This is not the address of one YouTube video."
        raise InvalidInputError(message, {"url": [message]})
    return found


def names_video(url: str) -> bool:
    """Whether this is the address of one video."""
    try:
        read_video_id(url)
    except InvalidInputError:
        return False
    return True


def youtube_tools() -> Mapping[str, str]:
    """The versions of what fetches from YouTube, for an asset's provenance."""
    return {name: importlib.metadata.version(name) for name in TOOLS if _is_installed(name)}


def fetch_youtube(
    video_id: str,
    folder: Path,
    *,
    limits: FetchLimits,
    max_duration: Fraction,
    rule: AddressRule = PUBLIC_HTTPS,
    resolver: Resolver = resolve_name,
    yt_dlp_argv: Sequence[str] = (),
    beat: Beat = no_beat,
) -> FetchedSource:
    """Fetch the best sound track of a video into `folder`, as YouTube keeps it, whole or not at all.

    Raise TooLargeError, InvalidInputError for what is live or not to be had, UnavailableError,
    TimeLimitError, and NotBuiltError when yt-dlp is not installed.
    """
    address = f"https://www.youtube.com/watch?v={video_id}"
    argv = yt_dlp_argv or _installed_yt_dlp()
    listener = _Listener(limits.max_bytes, max_duration, beat)
    with (
        scratch_beside(folder / video_id) as scratch,
        open_guarded_proxy(rule, resolver, max_bytes=limits.max_bytes + _BESIDE_THE_FILE) as proxy,
    ):
        _run(
            [*argv, *_options(proxy.url, limits, max_duration), "--", address],
            scratch,
            limits,
            listener,
            proxy,
        )
        found = _only_file(scratch, limits)
        path = found.replace(folder / f"{video_id}{found.suffix}")
    return FetchedSource(
        path=path,
        filename=harmless_name(f"{listener.video.title.replace('/', '-')}{path.suffix}"),
        content_type=content_type_of(path.name),
        size=path.stat().st_size,
        sha256=sha256_of(path),
        final_url=address,
    )


class _Listener:
    """Follows what yt-dlp says, and ends it by raising as soon as a limit is passed."""

    def __init__(self, max_bytes: int, max_duration: Fraction, beat: Beat) -> None:
        self.video = _Video()
        self._max_bytes, self._max_duration, self._beat = max_bytes, max_duration, beat
        self._fraction = 0.0

    def hear(self, line: str) -> None:
        if line.startswith(_FACTS):
            self.video = _read_video(line.removeprefix(_FACTS))
            self._ensure_wanted()
        elif line.startswith(_PROGRESS):
            done, *totals = [_number(word) for word in line.removeprefix(_PROGRESS).split()]
            total = next((total for total in totals if total), None)
            if max(done or 0, total or 0) > self._max_bytes:
                raise too_large(self._max_bytes)
            if done and total:
                self._fraction = max(self._fraction, min(done / total, 1.0))

    def tick(self, _time_gone: float) -> None:
        self._beat(self._fraction)

    def _ensure_wanted(self) -> None:
        if self.video.live_status in NOT_FINISHED:
            raise InvalidInputError("This video is live: it can be taken once it has ended.")
        if self.video.duration is not None and self.video.duration > self._max_duration:
            raise TooLargeError(
                f"The video is {clock(self.video.duration)} long; the limit is {clock(self._max_duration)}."
            )


def _id_in(address: Address) -> str | None:
    path, _, query = address.target.partition("?")
    if address.host == "youtu.be":
        return path.removeprefix("/").removesuffix("/")
    if address.host not in HOSTS:
        return None
    if path.rstrip("/") == "/watch":
        return next((part.removeprefix("v=") for part in query.split("&") if part.startswith("v=")), None)
    named = re.fullmatch(r"/(?:shorts|live|embed)/(?!videoseries)([^/]+)/?", path)  # that word is a playlist
    return named.group(1) if named else None


def _options(proxy_url: str, limits: FetchLimits, max_duration: Fraction) -> list[str]:
    return [
        "--ignore-config",
        "--no-plugin-dirs",
        "--no-remote-components",
        "--no-cache-dir",
        "--no-update",
        "--no-playlist",
        f"--proxy={proxy_url}",
        f"--max-filesize={limits.max_bytes}",
        f"--match-filters=!is_live & live_status!=?is_upcoming & duration<=?{float(max_duration):.3f}",
        "--format=bestaudio[protocol^=http]/best[protocol^=http]",  # no stream that ffmpeg would fetch
        "--fixup=never",
        "--no-part",
        "--no-mtime",
        "--retries=3",
        "--socket-timeout=20",
        "--output=%(id)s.%(ext)s",
        "--no-simulate",
        "--no-colors",
        "--newline",
        "--progress",
        "--progress-delta=0.2",
        f"--progress-template=download:{_PROGRESS}"
        "%(progress.downloaded_bytes)s %(progress.total_bytes)s %(progress.total_bytes_estimate)s",
        f"--print=pre_process:{_FACTS}%(.{{title,duration,live_status}})j",
    ]


def _run(
    argv: Sequence[str], scratch: Path, limits: FetchLimits, listener: _Listener, proxy: GuardedProxy
) -> None:
    """Run yt-dlp in `scratch` and say in this product's errors why it failed."""
    tools = Path(sys.executable).parent  # where pip puts the JavaScript runtime
    env = {"PATH": f"{tools}{os.pathsep}{os.defpath}", "HOME": str(scratch), "PYTHONUTF8": "1"}
    try:
        run_tool(
            argv, timeout=limits.timeout, cwd=scratch, env=env, beat=listener.tick, on_line=listener.hear
        )
    except ChildFailedError as error:
        if isinstance(proxy.refusal, (TooLargeError, UnsafeAddressError)):
            raise proxy.refusal from error
        if proxy.reached == 0 and proxy.refusal is not None:
            raise UnavailableError("YouTube cannot be reached now.") from error
        if _PASSING.search(str(error)):
            raise UnavailableError("YouTube does not give the sound now.") from error
        raise InvalidInputError(
            f"YouTube does not give the sound of this video: {_last_words(error)}"
        ) from error


def _last_words(error: ChildFailedError) -> str:
    return str(error).rpartition("ERROR: ")[2][:300]


def _only_file(scratch: Path, limits: FetchLimits) -> Path:
    files = [path for path in scratch.iterdir() if path.is_file()]
    if len(files) != 1:  # what it leaves out without a word was over --max-filesize
        raise too_large(limits.max_bytes)
    if files[0].stat().st_size > limits.max_bytes:
        raise too_large(limits.max_bytes)
    return files[0]


def _read_video(text: str) -> _Video:
    facts = json.loads(text)
    duration = facts.get("duration")
    return _Video(
        title=str(facts.get("title") or "audio"),
        duration=None if duration is None else Fraction(duration),
        live_status=facts.get("live_status"),
    )


def _number(word: str) -> float | None:
    try:
        return float(word)
    except ValueError:
        return None


def _installed_yt_dlp() -> list[str]:
    if importlib.util.find_spec("yt_dlp") is None:
        raise NotBuiltError(HOW_TO_GET_IT)
    return [sys.executable, "-P", "-m", "yt_dlp"]


def _is_installed(name: str) -> bool:
    return any(importlib.metadata.distributions(name=name))
