"""What a deployment may set: ETHEREAL_* variables and `.env`, read once, typed and frozen.

The only reader of the environment. The embedded defaults need no variable at all.
"""

from __future__ import annotations

import os
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from ethereal.dispatch.prices import PRICES
from ethereal.errors import InvalidConfigError

_R2 = ("r2_bucket", "r2_access_key_id", "r2_secret_access_key")
#: After which people are told that no renderer of a job's kind listens.
STRANDED_SECONDS = 15.0
_MODAL = ("modal_token_id", "modal_token_secret", "webhook_secret", "public_url")


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix="ETHEREAL_", env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    data_dir: Path = Field(
        Path("data"), description="Everything this machine keeps: jobs, objects, queue, logs."
    )
    scratch_dir: Path | None = Field(
        None, description="Working files; default: scratch in the data directory."
    )
    host: str = Field("127.0.0.1", description="Address the web app listens on.")
    port: int = Field(
        8765, ge=0, le=65535, description="Port of the web app; the next free one is taken by `up`."
    )
    public_url: str | None = Field(None, description="How people reach the web app; default: host and port.")
    flower_host: str = Field("127.0.0.1", description="Address that Flower listens on.")
    flower_port: int = Field(5556, ge=0, le=65535, description="Port of Flower.")
    flower_url: str | None = Field(
        None, description="Where the web app finds Flower, to show it at /farm/; default: that port here."
    )

    log_format: Literal["text", "json"] = Field(
        "text", description="Lines of the log: for people, or one JSON object each."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="From which level on the log is written."
    )

    broker_url: SecretStr | None = Field(None, description="Redis address; unset: Valkey is started here.")
    database_url: str | None = Field(
        None, description="file:PATH, libsql://HOST or http(s)://HOST; unset: jobs.db in the data directory."
    )
    database_auth_token: SecretStr | None = Field(None, description="Token of a remote database.")
    storage: Literal["local", "r2"] = Field("local", description="Where objects live.")
    dispatcher: Literal["farm", "modal"] = Field("farm", description="Where pictures are rendered.")

    r2_account_id: str | None = Field(None, description="Cloudflare account of the bucket.")
    r2_endpoint: str | None = Field(
        None,
        description="Address of another S3 server, or of R2 in a jurisdiction; default: the account's R2.",
    )
    r2_bucket: str | None = Field(None, description="Name of the bucket.")
    r2_access_key_id: SecretStr | None = Field(None, description="R2 access key.")
    r2_secret_access_key: SecretStr | None = Field(None, description="R2 secret key.")
    modal_app: str = Field("ethereal", description="Name of the deployed Modal app.")
    modal_token_id: SecretStr | None = Field(None, description="Modal token id.")
    modal_token_secret: SecretStr | None = Field(None, description="Modal token secret.")
    modal_gpu: str = Field("L4", description="GPU to deploy with; several, best first: L4,A10.")
    modal_use_gpu: Literal["auto", "always", "never"] = Field(
        "auto", description="Which renders get a GPU; auto: those of 1080p and more."
    )
    modal_refuse_software_gl: bool = Field(
        True, description="Fail a render that got a GPU and draws without it; else it is told in the result."
    )
    modal_cores: int = Field(4, ge=1, le=64, description="CPU cores of a container that renders.")
    modal_memory_mib: int = Field(8192, ge=1024, description="Memory of a container that renders, in MiB.")
    modal_region: str | None = Field(None, description="Region to render in, such as us or eu; default: any.")
    modal_max_containers: int = Field(10, ge=1, le=1000, description="Containers of one kind at once.")
    modal_timeout_minutes: int = Field(
        60, ge=1, le=1440, description="Time limit of one call, and of one chunk."
    )
    modal_retries: int = Field(
        2, ge=0, le=10, description="How often Modal itself repeats a chunk whose container died."
    )
    modal_chunk_seconds: float = Field(
        60.0, gt=0, description="Seconds of drawing that are worth a container of their own."
    )
    modal_answer_seconds: float = Field(10.0, gt=0, description="Longest wait for an answer of Modal.")
    modal_prices: dict[str, float] = Field(
        dict(PRICES),
        description="US dollars an hour, as JSON: of each GPU, of a CPU core and of a GiB of memory.",
    )
    modal_silence_seconds: float = Field(
        20.0, ge=0, description="How long a call may be silent before the reaper asks Modal about it."
    )

    webhook_secret: SecretStr | None = Field(None, min_length=32, description="Proves reports of renderers.")
    signing_secret: SecretStr | None = Field(
        None,
        min_length=32,
        description="Signs links and sessions; unset: made once and kept in the data directory.",
    )
    api_token: SecretStr | None = Field(
        None,
        min_length=16,
        description="Bearer token; required where not only this machine can reach the web app.",
    )

    max_upload_mb: int = Field(100, gt=0, description="Largest accepted file, in MiB.")
    max_audio_minutes: int = Field(30, gt=0, description="Longest accepted audio.")
    allow_http: bool = Field(
        False,
        description="Fetch sound from http:// and from this machine too; for tests alone.",
    )
    asset_quota_gb: int = Field(5, gt=0, description="What all assets may take, in GiB.")
    asset_days: int = Field(30, gt=0, description="How long an asset is kept that nobody asks for.")
    sign_ins_per_minute: int = Field(20, gt=0, description="Tries to sign in a minute from one address.")
    submits_per_minute: int | None = Field(
        None,
        gt=0,
        description="Jobs a minute that one client may send; default: 120, and any number on this machine.",
    )
    reports_per_minute: int = Field(1200, gt=0, description="Reports of renderers a minute from one address.")
    trusted_proxies: int = Field(
        0,
        ge=0,
        description="Proxies in front of the web app that tell the client's address (X-Forwarded-For).",
    )
    most_jobs: int = Field(10_000, gt=0, description="How many jobs may wait and run at once.")
    most_jobs_per_client: int = Field(1_000, gt=0, description="How many of them may be of one client.")
    lease_seconds: int = Field(60, ge=2, description="How long a step belongs to a silent worker.")
    beat_seconds: float = Field(2.0, gt=0, description="How often a running step writes its progress.")
    max_attempts: int = Field(3, gt=0, description="How often a step is tried.")
    retry_seconds: float = Field(5.0, gt=0, description="First wait before another try; doubles each time.")
    reaper_seconds: float = Field(10.0, gt=0, description="How often the reaper looks for stale steps.")
    straggler_seconds: float = Field(
        20.0, gt=0, description="How long a chunk has to run before another worker may draw it too."
    )
    plan_again_minutes: float = Field(
        5.0, gt=0, description="How long a render waits for its kind of renderer before another may take it."
    )
    ingest_minutes: float = Field(10, gt=0, description="Time limit of an ingest step.")
    preview_minutes: float = Field(5, gt=0, description="Time limit of a preview step.")
    save_minutes: float = Field(15, gt=0, description="Time limit of a save step.")
    render_minutes: float = Field(60, gt=0, description="Time limit of one step of a render.")
    render_hours: float = Field(24, gt=0, description="Time limit of a whole render.")
    grace_seconds: float = Field(
        10.0, gt=0, description="How long a step that has to end may tidy up before it is killed."
    )
    stop_seconds: int = Field(
        10, ge=1, description="How long a process that is to stop may finish its work; then it hands it back."
    )

    render_workers: int | None = Field(
        None, gt=0, description="Chunks drawn at once here; default: one for every four cores."
    )
    gl: Literal["auto", "llvmpipe", "swiftshader", "gpu"] = Field(
        "auto", description="What draws the pictures."
    )
    chromium: Path | None = Field(None, description="Chromium to draw with; default: the first one found.")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        missing: list[str] = []
        if self.storage == "r2":
            missing += [name for name in _R2 if getattr(self, name) is None]
            missing += ["r2_account_id"] if not (self.r2_account_id or self.r2_endpoint) else []
        if self.dispatcher == "modal":
            missing += [name for name in _MODAL if getattr(self, name) is None]
        if not self.is_loopback and self.api_token is None:
            missing.append("api_token")
        if self.allow_http and not self.is_loopback:
            raise ValueError("ETHEREAL_ALLOW_HTTP is for a web app that only this machine can reach")
        if missing:
            raise ValueError("set " + ", ".join(f"ETHEREAL_{name.upper()}" for name in missing))
        if self.dispatcher == "modal" and self.storage != "r2":
            raise ValueError("ETHEREAL_DISPATCHER=modal needs ETHEREAL_STORAGE=r2, which its renderers reach")
        return self

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        limits = [self.ingest_minutes, self.preview_minutes, self.save_minutes, self.render_minutes]
        for name, least, most in (
            (
                "ETHEREAL_LEASE_SECONDS: twice ETHEREAL_BEAT_SECONDS",
                2 * self.beat_seconds,
                self.lease_seconds,
            ),
            ("every ETHEREAL_*_MINUTES: ETHEREAL_LEASE_SECONDS", self.lease_seconds, 60 * min(limits)),
            ("ETHEREAL_RENDER_HOURS: ETHEREAL_RENDER_MINUTES", self.render_minutes, 60 * self.render_hours),
            ("ETHEREAL_PLAN_AGAIN_MINUTES: 15 seconds", STRANDED_SECONDS, 60 * self.plan_again_minutes),
        ):
            if least > most:
                raise ValueError("at least {1} for {0}".format(*name.split(": ")))
        return self

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the web app."""
        try:
            return self.host == "localhost" or ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def base_url(self) -> str:
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def submits_a_minute(self) -> int | None:
        """How many jobs one client may send; None: any number."""
        return self.submits_per_minute or (None if self.is_loopback else 120)

    @property
    def flower_address(self) -> str:
        """Where the web app finds Flower; empty when there is none."""
        here = f"http://127.0.0.1:{self.flower_port}" if self.flower_port else ""
        return (self.flower_url or here).rstrip("/")

    @property
    def scratch(self) -> Path:
        return self.scratch_dir or self.data_dir / "scratch"

    @property
    def lease(self) -> timedelta:
        return timedelta(seconds=self.lease_seconds)

    @property
    def stop_limit(self) -> timedelta:
        """From SIGTERM to the end of any process, SIGKILL included."""
        return timedelta(seconds=self.stop_seconds + self.grace_seconds + 3)

    @property
    def step_limit(self) -> timedelta:
        return timedelta(minutes=self.render_minutes)


def inherited_environment() -> dict[str, str]:
    """The environment this process was given, for the processes it starts."""
    return dict(os.environ)


def read_settings(**overrides: object) -> Settings:
    """Read the environment. Raise InvalidConfigError naming each variable that is wrong or missing."""
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        lines = [_sentence(problem["loc"], problem["msg"]) for problem in error.errors()]
        raise InvalidConfigError("the settings are not usable: " + "; ".join(lines)) from error


def _sentence(where: tuple[int | str, ...], message: str) -> str:
    name = f"ETHEREAL_{str(where[0]).upper()}: " if where else ""
    return name + message.removeprefix("Value error, ")
