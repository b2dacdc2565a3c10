"""From settings to services: the only file that names adapters.

What takes long to import (stores, brokers, the browser) is imported where it is needed: a command line that
draws a short video must not wait for all of it.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import random
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from ethereal.errors import InvalidConfigError
from ethereal.render.renderer import OpenRenderer, Renderer
from ethereal.secret import ensure_secret
from ethereal.settings import STRANDED_SECONDS, Settings

if TYPE_CHECKING:
    from pydantic import SecretStr

    from ethereal.audio.addresses import AddressRule
    from ethereal.dispatch.dispatcher import Cloud
    from ethereal.dispatch.modal_calls import ModalDispatcher
    from ethereal.jobs.database import Database
    from ethereal.jobs.store import JobStore
    from ethereal.live import LiveProgress
    from ethereal.meters import Meters
    from ethereal.pace import Pace
    from ethereal.render.plan import PlanRequest
    from ethereal.services import Limits, Services, TaskQueue
    from ethereal.storage.r2 import R2ObjectStore
    from ethereal.storage.store import ObjectStore

_MODAL_QUEUE = timedelta(hours=1)  # how long a call may wait for a container
# On 2 cores a browser with two encoders beats two with one each by a third, at 276 and at 622 million pixels.
_CORES_FOR_A_BROWSER = 4
_PIXELS_FOR_A_BROWSER = 128_000_000  # fewer are not worth starting one


def build_services(
    settings: Settings, *, queue: TaskQueue, fingerprint: str | None = None, worker: str = ""
) -> Services:
    """Wire the ports as the settings say: with `fingerprint` if this process draws, `worker` is its name.

    Raise InvalidConfigError or MisconfiguredError.
    """
    from ethereal.assets.sql import SqlAssetStore
    from ethereal.jobs.sql import SqlJobStore
    from ethereal.render.kept import KeptRenderer
    from ethereal.services import Services

    database = open_database(settings)
    return Services(
        jobs=SqlJobStore(database),
        assets=SqlAssetStore(database),
        objects=open_object_store(settings),
        queue=queue,
        live=open_live_progress(settings),
        meters=open_meters(settings),
        renderer=KeptRenderer(renderer_of(settings)),
        clock=clock_of(settings, database),
        new_id=uuid4,
        jitter=random.random,
        scratch=settings.scratch,
        cloud=open_cloud(settings),
        farm_width=render_workers(settings),
        route=fingerprint and fingerprint[:8],
        fingerprint=fingerprint,
        worker=worker,
        encoders=max(1, cores() // render_workers(settings)),
        rule=address_rule(settings),
        limits=limits_of(settings),
    )


def open_cloud(settings: Settings) -> Cloud | None:
    """Who renders elsewhere; None where the farm does."""
    if settings.dispatcher != "modal":
        return None
    from ethereal.dispatch.dispatcher import Cloud
    from ethereal.dispatch.prices import Prices

    return Cloud(
        dispatcher=modal_of(settings),
        report_url=f"{settings.base_url}/api/webhooks/worker",
        secret=_revealed(settings.webhook_secret).encode(),
        gpu=settings.modal_gpu,
        use_gpu=settings.modal_use_gpu,
        refuse_software=settings.modal_refuse_software_gl,
        containers=settings.modal_max_containers,
        chunk_seconds=settings.modal_chunk_seconds,
        limit=timedelta(minutes=settings.modal_timeout_minutes) + _MODAL_QUEUE,
        silence=timedelta(seconds=settings.modal_silence_seconds),
        prices=Prices(settings.modal_prices, settings.modal_cores, settings.modal_memory_mib / 1024),
    )


def modal_of(settings: Settings) -> ModalDispatcher:
    from ethereal.dispatch.modal_calls import ModalDispatcher

    return ModalDispatcher(
        settings.modal_app,
        token_id=_revealed(settings.modal_token_id),
        token_secret=_revealed(settings.modal_token_secret),
        patience=timedelta(seconds=settings.modal_answer_seconds),
    )


def address_rule(settings: Settings) -> AddressRule:
    """Where addresses that users give may lead."""
    from ethereal.audio.addresses import LOCAL_TOO, PUBLIC_HTTPS

    return LOCAL_TOO if settings.allow_http else PUBLIC_HTTPS


def open_job_store(settings: Settings) -> JobStore:
    """The job store on a database of its own."""
    from ethereal.jobs.sql import SqlJobStore

    return SqlJobStore(open_database(settings))


def open_database(settings: Settings) -> Database:
    """The database of jobs and assets, brought to the newest schema."""
    from ethereal.jobs.file_database import open_file_database
    from ethereal.jobs.migrate import migrate
    from ethereal.jobs.remote_database import open_remote_database

    url = _database_url(settings)
    if url.startswith("file:"):
        database = open_file_database(Path(url.removeprefix("file:")))
    else:
        database = open_remote_database(url, _revealed(settings.database_auth_token))
    with ExitStack() as undo:
        undo.callback(database.close)
        migrate(database)
        undo.pop_all()
    return database


def clock_of(settings: Settings, database: Database) -> Callable[[], datetime]:
    """The clock that leases go by: the database's own, and this host's where it is a file."""
    if _database_url(settings).startswith("file:"):
        return _now
    from ethereal.jobs.clock import StoreClock, time_of

    return StoreClock(partial(time_of, database))


def open_object_store(settings: Settings) -> ObjectStore:
    if settings.storage == "r2":
        return open_r2_store(settings)
    from ethereal.storage.local import LocalObjectStore
    from ethereal.storage.signing import Signer

    return LocalObjectStore(
        settings.data_dir / "objects",
        base_url=settings.base_url,
        signer=Signer(signing_secret(settings)),
        clock=_now,
    )


def open_r2_store(settings: Settings) -> R2ObjectStore:
    """The bucket of the settings. Raise InvalidConfigError when they say that objects live elsewhere."""
    if settings.storage != "r2":
        raise InvalidConfigError("objects do not live in R2: set ETHEREAL_STORAGE=r2 and ETHEREAL_R2_*")
    from ethereal.storage.r2 import R2ObjectStore
    from ethereal.storage.r2_bucket import R2Bucket, r2_endpoint

    bucket = R2Bucket(
        endpoint=settings.r2_endpoint or r2_endpoint(settings.r2_account_id or ""),
        name=settings.r2_bucket or "",
        access_key_id=_revealed(settings.r2_access_key_id),
        secret_access_key=_revealed(settings.r2_secret_access_key),
    )
    return R2ObjectStore(bucket)


def open_live_progress(settings: Settings) -> LiveProgress:
    if settings.broker_url is None:
        from ethereal.live import MemoryLiveProgress

        return MemoryLiveProgress()
    from ethereal.live.redis import RedisLiveProgress

    return RedisLiveProgress(settings.broker_url.get_secret_value())


def open_meters(settings: Settings) -> Meters:
    if settings.broker_url is None:
        from ethereal.meters import MemoryMeters

        return MemoryMeters()
    from ethereal.meters.redis import RedisMeters

    return RedisMeters(settings.broker_url.get_secret_value())


def open_pace(settings: Settings) -> Pace:
    """What counts requests: for all processes on the broker, without one for this process alone."""
    if settings.broker_url is None:
        from ethereal.pace import MemoryPace

        return MemoryPace()
    from ethereal.pace.redis import RedisPace

    return RedisPace(settings.broker_url.get_secret_value())


def renderer_of(settings: Settings) -> OpenRenderer:
    return partial(
        _open_chromium,
        executable=settings.chromium,
        gl=settings.gl,
        scratch=settings.scratch,
    )


def _open_chromium(directory: Path, **options: Any) -> AbstractContextManager[Renderer]:
    from ethereal.render.capture import open_chromium_renderer

    return open_chromium_renderer(directory, **options)


def renderer_ahead(settings: Settings, width: int, height: int) -> AbstractContextManager[OpenRenderer]:
    """The renderer of the settings for pictures of that size, whose browser starts when the block begins."""
    from ethereal.render.capture import ChromiumAhead

    return ChromiumAhead(
        width, height, executable=settings.chromium, gl=settings.gl, scratch=settings.scratch
    )


def signing_secret(settings: Settings) -> bytes:
    """What signs links and sessions."""
    if settings.signing_secret is not None:
        return settings.signing_secret.get_secret_value().encode()
    return ensure_secret(settings.data_dir / "secret")


def flower_password(secret: bytes) -> str:
    """What the web app proves itself to Flower with, from the secret that signs links."""
    return hmac.new(secret, b"flower", hashlib.sha256).hexdigest()


def render_workers(settings: Settings) -> int:
    """How many chunks this machine draws at once; what a browser leaves of its cores is for its encoders."""
    return settings.render_workers or max(1, cores() // _CORES_FOR_A_BROWSER)


@dataclass(frozen=True)
class LocalShape:
    """How a render on this machine alone spreads: processes with a browser each, and encoders in each."""

    workers: int
    encoders: int


def local_shape(settings: Settings, request: PlanRequest, workers: int | None = None) -> LocalShape:
    """`workers`, or what the settings say, or a browser for every four cores that has enough to draw."""
    pixels = request.composition.width * request.composition.height * request.frame_count
    usual = max(1, min(cores() // _CORES_FOR_A_BROWSER, pixels // _PIXELS_FOR_A_BROWSER))
    count = workers or settings.render_workers or usual
    return LocalShape(count, max(1, cores() // count))


def cores() -> int:
    """Cores this process may use; where the system does not tell, those there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def limits_of(settings: Settings) -> Limits:
    from ethereal.jobs.turns import Unfinished
    from ethereal.services import Limits

    return Limits(
        upload_bytes=settings.max_upload_mb << 20,
        audio=timedelta(minutes=settings.max_audio_minutes),
        lease=settings.lease,
        beat=timedelta(seconds=settings.beat_seconds),
        step=settings.step_limit,
        render=timedelta(hours=settings.render_hours),
        ingest=timedelta(minutes=settings.ingest_minutes),
        preview=timedelta(minutes=settings.preview_minutes),
        save=timedelta(minutes=settings.save_minutes),
        retry=timedelta(seconds=settings.retry_seconds),
        max_attempts=settings.max_attempts,
        grace=timedelta(seconds=settings.grace_seconds),
        stranded=timedelta(seconds=STRANDED_SECONDS),
        straggler=timedelta(seconds=settings.straggler_seconds),
        assets_bytes=settings.asset_quota_gb << 30,
        assets_kept=timedelta(days=settings.asset_days),
        plan_again=timedelta(minutes=settings.plan_again_minutes),
        jobs=Unfinished(settings.most_jobs, settings.most_jobs_per_client),
    )


def readiness_checks(services: Services, ping_broker: Callable[[], None]) -> dict[str, Callable[[], None]]:
    """What must answer before work is taken, by name; each raises UnavailableError when it does not."""
    return {
        "broker": ping_broker,
        "store": lambda: _touch(services.jobs.counts),
        "storage": lambda: _free_space(services.scratch),
    }


def _database_url(settings: Settings) -> str:
    return settings.database_url or f"file:{settings.data_dir / 'jobs.db'}"


def _revealed(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""


def _touch(call: Callable[[], object]) -> None:
    call()


def _free_space(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(folder).free < 256 << 20:
        raise InvalidConfigError(f"less than 256 MiB are free at {folder}")


def _now() -> datetime:
    return datetime.now(UTC)
