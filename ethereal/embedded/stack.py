"""Opening and closing the stack."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import NoReturn

from ethereal.embedded.broker import open_broker
from ethereal.embedded.data_lock import hold_data_dir
from ethereal.embedded.logs import log_of, new_log, tail_of
from ethereal.embedded.options import StackOptions
from ethereal.embedded.ports import hold_free_port
from ethereal.errors import ChildFailedError, TimeLimitError
from ethereal.process import GuardedProcess, Stop, start_guarded

_ANY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104  # recognised here, not bound
_LOOK_SECONDS = 0.1
_MARGIN = timedelta(seconds=4)  # for the supervisor, after the last of its processes was killed


@dataclass(frozen=True)
class RunningStack:
    """A stack that is up; `options` holds the ports it really got."""

    options: StackOptions
    broker_url: str
    supervisor: GuardedProcess

    @property
    def web_url(self) -> str:
        return f"http://{reachable(self.options.host)}:{self.options.port}"

    @property
    def farm_url(self) -> str:
        """Flower, as the web app shows it."""
        return f"{self.web_url}/farm/"

    @property
    def flower_url(self) -> str:
        """Flower itself, which asks for a password."""
        return f"http://127.0.0.1:{self.options.flower_port}"

    def wait(self) -> None:
        """Return at Ctrl-C or SIGTERM. Raise ChildFailedError when a process ended by itself."""
        before = signal.signal(signal.SIGTERM, _interrupt)
        try:
            self.supervisor.popen.wait()
        except KeyboardInterrupt:
            return
        finally:
            signal.signal(signal.SIGTERM, before)
        raise self._failure()

    def wait_until_ready(self) -> None:
        """Return once the web app says that all it needs is there.

        Raises ChildFailedError, with the end of its log, when a process dies, and TimeLimitError after
        `start_limit`.
        """
        deadline = time.monotonic() + self.options.start_limit.total_seconds()
        while (answer := _ask_ready(self.options)) != "":
            if self.supervisor.popen.poll() is not None:
                raise self._failure()
            if time.monotonic() > deadline:
                raise TimeLimitError(f"the stack is not ready after {self.options.start_limit}: {answer}")
            time.sleep(_LOOK_SECONDS)

    def _failure(self) -> ChildFailedError:
        data_dir = self.options.data_dir
        first = re.search(r"^(\S+) stopped \(rc=(-?\d+)\)", _text(log_of(data_dir, "system")), re.MULTILINE)
        name, code = first.groups() if first else ("supervisor", str(self.supervisor.popen.returncode))
        log = log_of(data_dir, name)
        return ChildFailedError(f"{name} ended with code {code}; the end of {log}:\n{tail_of(log)}")


@contextlib.contextmanager
def open_stack(options: StackOptions) -> Iterator[RunningStack]:
    """Start everything, wait until it is ready, and leave no process behind at the end of the block.

    Raises ConflictError when the data directory has a running stack already.
    """
    options.data_dir.mkdir(parents=True, exist_ok=True)
    options = replace(options, data_dir=options.data_dir.resolve())
    with contextlib.ExitStack() as opened:
        lock = opened.enter_context(hold_data_dir(options.data_dir, options.stop_limit + 2 * _MARGIN))
        options = replace(
            options,
            port=opened.enter_context(hold_free_port(options.host, options.port)),
            flower_port=opened.enter_context(hold_free_port("127.0.0.1", options.flower_port)),
        )
        broker_url = options.broker_url or opened.enter_context(open_broker(options.data_dir, hold=(lock,)))
        supervisor = opened.enter_context(_start_supervisor(options, broker_url, lock))
        stack = RunningStack(options, broker_url, supervisor)
        stack.wait_until_ready()
        yield stack


def process_environment(options: StackOptions, broker_url: str) -> dict[str, str]:
    """Return the whole environment of the stack's processes."""
    given = options.environment
    workers = (
        {} if options.render_workers is None else {"ETHEREAL_RENDER_WORKERS": str(options.render_workers)}
    )
    return {
        **given,
        **workers,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), given.get("PATH", os.defpath)]),
        "PYTHONUNBUFFERED": "1",
        "ETHEREAL_BROKER_URL": broker_url,
        "ETHEREAL_DATA_DIR": str(options.data_dir),
        "ETHEREAL_HOST": options.host,
        "ETHEREAL_PORT": str(options.port),
        "ETHEREAL_FLOWER_PORT": str(options.flower_port),
    }


def reachable(host: str) -> str:
    """Return the name under which this machine reaches a server that listens on `host`."""
    return "127.0.0.1" if host in _ANY_ADDRESS else f"[{host}]" if ":" in host else host


@contextlib.contextmanager
def _start_supervisor(options: StackOptions, broker_url: str, lock: int) -> Iterator[GuardedProcess]:
    data_dir = options.data_dir
    stop = options.stop_limit
    said = [str(options.procfile), str(data_dir), str(stop.total_seconds())]
    argv = [sys.executable, "-m", "ethereal.embedded.supervisor", *said]
    new_log(data_dir, "system")  # what is said there is of this run only
    with (
        new_log(data_dir, "supervisor").open("wb") as errors,
        start_guarded(
            argv,
            env=process_environment(options, broker_url),
            stdout=None if options.show_logs else subprocess.DEVNULL,
            stderr=errors,
            stop=Stop(stop + _MARGIN, signal.SIGTERM, "leader"),
            hold=(lock,),
        ) as supervisor,
    ):
        yield supervisor


def _ask_ready(options: StackOptions) -> str:
    """Return "" when /readyz says yes, else what stands in the way."""
    connection = http.client.HTTPConnection(reachable(options.host), options.port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        response = connection.getresponse()
        return "" if response.status == http.client.OK else response.read(2000).decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        return f"the web app does not answer ({error})"
    finally:
        connection.close()


def _text(log: Path) -> str:
    return log.read_text(errors="replace") if log.exists() else ""


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
