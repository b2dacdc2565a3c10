"""The step of an ingest: fetch the sound, look at it, and keep it as an asset with its outline."""

from __future__ import annotations

import hashlib
import logging
from contextlib import ExitStack
from pathlib import Path
from uuid import UUID

from ethereal.assets.model import Asset, AssetId, AssetObject, SoundFacts
from ethereal.audio.peaks import Peaks, make_peaks, save_peaks
from ethereal.audio.probe import AudioFacts
from ethereal.audio.sound_only import take_sound
from ethereal.errors import StoreUnavailableError, UnavailableError
from ethereal.jobs.model import Job, JobId
from ethereal.jobs.request import IngestRequest, Record
from ethereal.pipeline.attempt import Attempt, run_step
from ethereal.pipeline.discard import discard_upload
from ethereal.pipeline.source_file import SourceFile, fetch_source
from ethereal.pipeline.submit_audio import INGEST
from ethereal.pipeline.upload import ensure_length, look_at
from ethereal.services import Services
from ethereal.storage import keys

logger = logging.getLogger(__name__)

#: The extensions that fit what a file really is, by FFmpeg's name of its form; the first is the usual one.
_EXTENSIONS = {
    "aac": ("aac",),
    "aiff": ("aiff", "aif"),
    "flac": ("flac",),
    "matroska,webm": ("webm", "mkv"),
    "mov,mp4,m4a,3gp,3g2,mj2": ("m4a", "mp4", "mov"),
    "mp3": ("mp3",),
    "ogg": ("ogg", "oga", "opus"),
    "wav": ("wav",),
}


class IngestResult(Record):
    """The asset that an ingest came to; `known`: it was there before."""

    asset_id: str
    metadata: SoundFacts
    original_filename: str
    known: bool


def ingest(services: Services, job_id: JobId) -> bool:
    """Fetch the sound of a job and keep it."""
    return run_step(services, job_id, INGEST, _ingest)


def _ingest(attempt: Attempt) -> None:
    services, request = attempt.services, attempt.job.asked(IngestRequest)
    source = fetch_source(services, request, attempt.folder, beat=attempt.beat("downloading", 10, 50))
    known = services.assets.with_bytes(source.sha256)
    asset = known or _keep(attempt, source)
    _drop_of_the_dead(attempt)
    services.assets.touch([asset.id], now=services.clock())
    result = IngestResult(
        asset_id=asset.id, metadata=asset.audio, original_filename=asset.filename, known=known is not None
    )
    attempt.finish(result.model_dump(mode="json"))
    discard_upload(services, attempt.job)


def _keep(attempt: Attempt, source: SourceFile) -> Asset:
    services = attempt.services
    analyzing = attempt.beat("analyzing", 55, 60)
    analyzing(0.0)
    facts = look_at(services, source.path)
    sound, name = take_sound(source.path, attempt.folder), source.filename
    if sound != source.path:
        facts, name = look_at(services, sound), sound.name
    peaks = make_peaks(sound, beat=analyzing)
    ensure_length(services, _seconds_of(peaks[0]))
    outline = attempt.folder / "peaks.json"
    save_peaks(peaks, outline)
    return _store(attempt, _asset(attempt, source, facts, _extension(facts, name)), sound, outline)


def _store(attempt: Attempt, asset: Asset, original: Path, outline: Path) -> Asset:
    """Put the objects, then add the asset: until it is added they belong to nobody and go again."""
    services = attempt.services
    with ExitStack() as undo:
        undo.callback(_drop_unless_added, services, asset.id)
        beat = attempt.beat("finalizing", 80, 95)
        put = [
            services.objects.put(asset.original, original, beat=beat),
            services.objects.put(keys.asset_peaks(asset.id), outline),
        ]
        objects = [AssetObject(facts.key, facts.size) for facts in put]
        attempt.beat("finalizing", 95, 95)(1.0)
        try:
            stored = services.assets.add(asset, objects, quota=services.limits.assets_bytes)
        except StoreUnavailableError:
            undo.pop_all()  # it may be added yet: the sweep can tell later
            raise
    return stored


def _drop_unless_added(services: Services, asset_id: AssetId) -> None:
    try:
        if not services.assets.known([asset_id]):
            services.objects.delete_prefix(keys.asset_folder(asset_id))
    except UnavailableError as error:
        logger.warning("objects of asset %s are left for the sweep: %s", asset_id, error)


def _drop_of_the_dead(attempt: Attempt) -> None:
    """Remove what earlier attempts had put when they were killed: nobody else will know of it for an hour."""
    services, job = attempt.services, attempt.job
    earlier = {_asset_id(job, number) for number in range(1, attempt.lease.attempt)}
    if not earlier:
        return
    for asset_id in earlier - services.assets.known(earlier):
        services.objects.delete_prefix(keys.asset_folder(asset_id))


def _asset_id(job: Job, attempt: int) -> AssetId:
    """The same for the same attempt, and like no other: a random one that can be told again."""
    random = hashlib.sha256(f"{job.id} {attempt}".encode()).digest()
    return AssetId(str(UUID(bytes=random[:16], version=4)))


def _asset(attempt: Attempt, source: SourceFile, facts: AudioFacts, extension: str) -> Asset:
    asset_id, now = _asset_id(attempt.job, attempt.lease.attempt), attempt.services.clock()
    return Asset(
        id=asset_id,
        sha256=source.sha256,
        original=keys.asset_original(asset_id, extension),
        filename=source.filename,
        audio=SoundFacts(
            duration=float(facts.duration),
            sample_rate=facts.sample_rate,
            channels=facts.channels,
            codec=facts.codec,
            format=facts.container,
            bitrate=facts.bit_rate,
        ),
        provenance=source.provenance,
        created_at=now,
        updated_at=now,
        used_at=now,
    )


def _extension(facts: AudioFacts, filename: str) -> str:
    named = keys.extension_of(filename)
    fitting = _EXTENSIONS.get(facts.container, (named,))
    return named if named in fitting else fitting[0]


def _seconds_of(finest: Peaks) -> float:
    return (finest.length - 1) * finest.samples_per_pixel / finest.sample_rate
