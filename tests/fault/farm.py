"""A farm of real processes that may be killed and come back: broker, workers, beat, web app, database.

The commands are those of the Procfile, without its guards: what outlives its parent here is an orphan. Every
process is started again soon after it ended, as an init system would, unless it is held down.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import redis
from celery import Celery
from honcho.environ import parse_procfile

from ethereal.client import ApiClient
from ethereal.embedded.broker import valkey_binary
from ethereal.embedded.ports import hold_free_port
from ethereal.errors import EtherealError
from ethereal.jobs.file_database import open_file_database
from ethereal.jobs.migrate import migrate
from tests.fault.audit import audit
from tests.standins.hrana import HranaStandIn, open_hrana
from tests.standins.wire import Wire, open_wire
from tests.waiting import until

ROOT = Path(__file__).parents[2]
BROKER = "broker"
_AGAIN_SECONDS = 0.3
_LOOK_SECONDS = 0.05
#: Leases so short that a lost step is missed soon.
QUICK = {
    "ETHEREAL_LEASE_SECONDS": "3",
    "ETHEREAL_BEAT_SECONDS": "0.5",
    "ETHEREAL_RETRY_SECONDS": "0.5",
    "ETHEREAL_REAPER_SECONDS": "1",
    "ETHEREAL_STRAGGLER_SECONDS": "60",
}


@dataclass
class Daemon:
    """One process of the farm; `wanted` while it is to be started again whenever it ends."""

    name: str
    argv: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)  #: over the farm's
    wanted: bool = False
    starts: int = 0
    popen: subprocess.Popen[bytes] | None = None

    @property
    def lives(self) -> bool:
        return self.popen is not None and self.popen.poll() is None


@dataclass
class Farm:
    """`folder` holds everything; the broker and the database are reached over wires that can fail."""

    folder: Path
    environment: Mapping[str, str]
    daemons: dict[str, Daemon]
    broker_wire: Wire
    store_wire: Wire
    hrana: HranaStandIn
    web_port: int
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _closing: threading.Event = field(default_factory=threading.Event)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def database(self) -> Path:
        return self.folder / "jobs.db"

    @property
    def logs(self) -> list[Path]:
        return [self.folder / f"{name}.log" for name in self.daemons]

    @property
    def client(self) -> ApiClient:
        return ApiClient(f"http://127.0.0.1:{self.web_port}")

    def start(self, *names: str) -> None:
        """Let these processes run from now on."""
        for name in names:
            self.daemons[name].wanted = True

    def add(self, name: str, *, like: str, environment: Mapping[str, str]) -> None:
        """Let one more process run as that one does, under other variables."""
        command = self.daemons[like].argv[-1].replace("@%h", f"-{name}@%h")
        self.daemons[name] = Daemon(name, ["/bin/sh", "-c", command], environment, wanted=True)

    def kill(self, name: str, number: int = signal.SIGKILL) -> None:
        """Signal the process itself, none of its children; it comes back."""
        popen = self.daemons[name].popen
        if popen is not None and popen.poll() is None:
            popen.send_signal(number)

    def hold_down(self, name: str, number: int = signal.SIGKILL) -> None:
        """End a process and let it be away until it is started."""
        self.daemons[name].wanted = False
        self.kill(name, number)
        until(lambda: not self.daemons[name].lives)

    def forget_broker(self) -> None:
        """Take the broker down and everything it kept with it; it stays away until it is started."""
        self.hold_down(BROKER)
        shutil.rmtree(self.folder / BROKER)
        (self.folder / BROKER).mkdir()

    def children(self, name: str) -> list[psutil.Process]:
        """The pool processes of a worker."""
        popen = self.daemons[name].popen
        try:
            return psutil.Process(popen.pid).children() if popen else []
        except psutil.NoSuchProcess:
            return []

    def broker(self) -> redis.Redis:
        """A client that goes past the wire."""
        return redis.Redis(port=self.broker_wire.target, socket_timeout=2)

    @property
    def workers(self) -> list[str]:
        return [name for name in self.daemons if name.startswith(("worker", "render", "control"))]

    def listening(self) -> set[str]:
        """The names of the workers that answer over the wire within a second."""
        with Celery(broker=self.environment["ETHEREAL_BROKER_URL"], set_as_current=False) as app:
            return {name for reply in app.control.ping(timeout=1) for name in reply}

    def queued(self, name: str = "") -> list[tuple[bytes, bytes]]:
        """The messages that wait, of one queue or of all, each with the list it lies in."""
        with self.broker() as broker:
            lists = [key for key in broker.keys(f"{name}*") if broker.type(key) == b"list"]
            return [(key, message) for key in lists for message in broker.lrange(key, 0, -1)]

    def double(self, name: str = "", times: int = 1) -> None:
        """Put every message that waits beside itself once more, or so many times."""
        queued = self.queued(name)
        with self.broker() as broker:
            for key, message in queued * times:
                broker.lpush(key, message)

    def journal(self, what: str) -> int:
        """How often a process wrote that down."""
        path = self.folder / "journal"
        return path.read_text().count(f" {what}") if path.exists() else 0

    def processes(self) -> list[psutil.Process]:
        """Everything that runs with the data directory of this farm in its environment."""
        return [process for process in psutil.process_iter() if self._has_started(process)]

    def _has_started(self, process: psutil.Process) -> bool:
        try:
            return process.environ().get("ETHEREAL_DATA_DIR") == str(self.data)
        except psutil.Error:
            return False

    # the keeper's own thread: a process ends with the thread that started it

    def keep(self) -> None:
        """Start what is wanted and not there, until the farm closes."""
        ended: dict[str, float] = {}
        while not self._closing.wait(_LOOK_SECONDS):
            for name, daemon in list(self.daemons.items()):
                if daemon.lives or not daemon.wanted:
                    ended.pop(name, None)
                elif time.monotonic() >= ended.setdefault(name, time.monotonic() + _pause(daemon)):
                    self._start(daemon)
        for daemon in self.daemons.values():
            self._end(daemon)
        with contextlib.suppress(TimeoutError):
            until(lambda: not self.processes(), 10)  # those of the web app look once a second

    def close(self) -> None:
        self._closing.set()

    def _start(self, daemon: Daemon) -> None:
        with (self.folder / f"{daemon.name}.log").open("ab") as log:
            daemon.popen = subprocess.Popen(
                _ending_with_us(daemon.argv),
                cwd=ROOT,
                env={**self.environment, **daemon.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        daemon.starts += 1

    def _end(self, daemon: Daemon) -> None:
        daemon.wanted = False
        if daemon.popen is not None:
            with contextlib.suppress(ProcessLookupError):
                daemon.popen.send_signal(signal.SIGCONT)
            daemon.popen.kill()
            daemon.popen.wait()


def _pause(daemon: Daemon) -> float:
    return _AGAIN_SECONDS if daemon.starts else 0.0


def _ending_with_us(argv: Sequence[str]) -> list[str]:
    guard = shutil.which("setpriv")
    return [guard, "--pdeathsig", "KILL", *argv] if guard else list(argv)


@contextmanager
def open_farm(
    folder: Path,
    *,
    settings: Mapping[str, str] = QUICK,
    copies: int = 1,
    commands: Mapping[str, str] | None = None,
) -> Iterator[Farm]:
    """Run a farm with so many workers of each kind, and leave nothing of it behind.

    `settings` are variables, `commands` take the place of the Procfile's. Everything is up in the block, and
    empty.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / BROKER).mkdir()
    with closing(open_file_database(folder / "jobs.db")) as database:
        migrate(database)
    audit(folder / "jobs.db")
    with ExitStack() as opened:
        broker_port = opened.enter_context(hold_free_port("127.0.0.1", 0))
        wire = opened.enter_context(open_wire(broker_port))
        hrana = opened.enter_context(open_hrana(folder / "jobs.db"))
        store_wire = opened.enter_context(open_wire(hrana.port, speaks_resp=False))
        web_port = opened.enter_context(hold_free_port("127.0.0.1", 0))
        environment = _environment(folder, wire.port, store_wire.port, web_port) | dict(settings)
        daemons = _daemons(folder, broker_port, commands or _product(copies))
        farm = Farm(folder, environment, daemons, wire, store_wire, hrana, web_port)
        keeper = threading.Thread(target=farm.keep, name="keeper")
        keeper.start()
        opened.callback(keeper.join)
        opened.callback(farm.close)
        farm.start(BROKER)
        until(lambda: _answers(farm.broker()), logs=farm.logs)
        farm.start(*daemons)
        until(lambda: is_ready(farm), logs=farm.logs)
        yield farm


def is_ready(farm: Farm) -> bool:
    """Whether every worker listens, and the web app says so where there is one."""
    try:
        if "web" in farm.daemons:
            farm.client.call("GET", "/readyz")
    except EtherealError:
        return False
    return len(farm.listening()) == len(farm.workers)


def _answers(client: redis.Redis) -> bool:
    with client:
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False


def _environment(folder: Path, broker: int, store: int, web: int) -> dict[str, str]:
    given = {name: value for name, value in os.environ.items() if not name.startswith("ETHEREAL_")}
    return given | {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
        "FAULT_DIR": str(folder),
        "TMPDIR": str(folder / "tmp"),
        "ETHEREAL_BROKER_URL": f"redis://127.0.0.1:{broker}/0",
        "ETHEREAL_DATABASE_URL": f"http://127.0.0.1:{store}",
        "ETHEREAL_DATA_DIR": str(folder / "data"),
        "ETHEREAL_PORT": str(web),
    }


def _daemons(folder: Path, port: int, commands: Mapping[str, str]) -> dict[str, Daemon]:
    (folder / "data").mkdir()
    (folder / "tmp").mkdir()
    broker = [str(valkey_binary()), "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    kept = ["--dir", str(folder / BROKER), "--appendonly", "yes", "--appendfsync", "everysec"]
    lines = {BROKER: shlex.join([*broker, *kept]), **commands}
    return {name: Daemon(name, ["/bin/sh", "-c", f"exec {line}"]) for name, line in lines.items()}


def _product(copies: int) -> dict[str, str]:
    """The commands of the Procfile, each worker so many times, and two beats: as many do no harm."""
    lines, commands = parse_procfile((ROOT / "Procfile").read_text()).processes, dict[str, str]()
    for name in ("web", "worker", "render", "control", "beat"):
        command = lines[name].replace("web.wsgi:app", "tests.fault.face:app")
        commands[name] = command.replace("-A tasks.app worker", "-A tests.fault.workers worker -l INFO")
    for number in range(2, copies + 1):
        for name in ("worker", "render"):
            commands[f"{name}{number}"] = commands[name].replace("@%h", f"{number}@%h")
    if copies > 1:
        commands["beat2"] = commands["beat"].replace("beat-schedule", "beat-schedule2")
    return commands
