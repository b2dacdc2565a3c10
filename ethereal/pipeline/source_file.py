"""Brings the file that an ingest names to this host, from wherever it lies."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av

from ethereal import __version__
from ethereal.assets.model import Provenance
from ethereal.audio.pace import FetchLimits
from ethereal.audio.source import FetchedSource, fetch_url
from ethereal.audio.youtube import fetch_youtube, read_video_id, youtube_tools
from ethereal.beat import Beat
from ethereal.jobs.request import IngestRequest, SourceType
from ethereal.pipeline.upload import ensure_size
from ethereal.services import Services
from ethereal.storage.keys import extension_of, read_upload_key
from ethereal.whole import sha256_of


@dataclass(frozen=True)
class SourceFile:
    """A file on this host, the name people know it by, and where it came from; `sha256` of its bytes."""

    path: Path
    filename: str
    sha256: str
    size: int
    provenance: Provenance


def fetch_source(services: Services, request: IngestRequest, folder: Path, *, beat: Beat) -> SourceFile:
    """Fetch the file into `folder`. Raise TooLargeError, and as `fetch_url` and `fetch_youtube` do."""
    match request.source_type:
        case SourceType.YOUTUBE:
            return _from_youtube(services, request, folder, beat)
        case SourceType.URL:
            return _from_address(services, request, folder, beat)
        case SourceType.AUDIO_FILE | SourceType.VIDEO_FILE:
            return _from_upload(services, request, folder, beat)


def fetch_limits(services: Services) -> FetchLimits:
    return FetchLimits(max_bytes=services.limits.upload_bytes, timeout=services.limits.ingest)


def _from_youtube(services: Services, request: IngestRequest, folder: Path, beat: Beat) -> SourceFile:
    video_id = read_video_id(request.url)
    found = fetch_youtube(
        video_id,
        folder,
        limits=fetch_limits(services),
        max_duration=Fraction(services.limits.audio.total_seconds()),
        rule=services.rule,
        yt_dlp_argv=services.yt_dlp,
        beat=beat,
    )
    provenance = Provenance(
        source_type=SourceType.YOUTUBE,
        source_url=found.final_url,
        source_video_id=video_id,
        rights_attested_at=request.rights_attested_at,
        ingest_tool_versions=_tools() | dict(youtube_tools()),
    )
    return _fetched(found, provenance)


def _from_address(services: Services, request: IngestRequest, folder: Path, beat: Beat) -> SourceFile:
    found = fetch_url(
        request.url, folder / "fetched", limits=fetch_limits(services), rule=services.rule, beat=beat
    )
    provenance = Provenance(
        source_type=SourceType.URL,
        source_url=request.url,
        rights_attested_at=request.rights_attested_at,
        ingest_tool_versions=_tools(),
    )
    return _fetched(found, provenance)


def _from_upload(services: Services, request: IngestRequest, folder: Path, beat: Beat) -> SourceFile:
    key = read_upload_key(request.audio_key)
    size = services.objects.stat(key).size
    ensure_size(services, size)
    path = services.objects.fetch(key, folder / f"uploaded.{extension_of(key)}", beat=beat)
    provenance = Provenance(
        source_type=request.source_type,
        rights_attested_at=request.rights_attested_at,
        ingest_tool_versions=_tools(),
    )
    return SourceFile(path, request.filename, sha256_of(path), size, provenance)


def _fetched(found: FetchedSource, provenance: Provenance) -> SourceFile:
    return SourceFile(found.path, found.filename, found.sha256, found.size, provenance)


def _tools() -> dict[str, str]:
    return {"ethereal": __version__, "av": av.__version__}
