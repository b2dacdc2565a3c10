"""Long-lived child processes that die with this one, however it dies."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import IO, Literal, TypeAlias

from ethereal import log

Stream: TypeAlias = int | IO[bytes] | None

_GUARD = str(Path(__file__).with_name("guard.py"))
_GUARD_MARGIN_SECONDS = 6.0  # after the grace: SIGKILL, and what the kernel needs to end a process


@dataclass(frozen=True)
class Stop:
    """How to end a command: `signal` to it or to its whole group, SIGKILL to what is left after `grace`."""

    grace: timedelta = timedelta(seconds=5)
    signal: signal.Signals = signal.SIGTERM
    whom: Literal["group", "leader"] = "group"


ORDERLY = Stop()


@dataclass(frozen=True)
class GuardedProcess:
    """A command under its guard; `popen` is the guard, which ends last and exits as the command did."""

    popen: subprocess.Popen[bytes]
    stop_with: Stop

    def stop(self) -> None:
        """End the command and all it started; safe to repeat."""
        if self.popen.poll() is not None:
            return
        self.popen.terminate()
        try:
            self.popen.wait(self.stop_with.grace.total_seconds() + _GUARD_MARGIN_SECONDS)
        except subprocess.TimeoutExpired:
            self.popen.kill()  # the command dies with its guard
            self.popen.wait()


def guarded_argv(argv: Sequence[str], *, stop: Stop = ORDERLY, parent: int) -> list[str]:
    """Return the argument list that runs `argv` for as long as the process `parent` lives.

    Its environment says in ETHEREAL_ABOUT which job it is for, as lines of the log do.
    """
    name = stop.signal.name.removeprefix("SIG")
    grace = str(stop.grace.total_seconds())
    about = " ".join(f"{name}={value}" for name, value in log.bound().items())
    return [sys.executable, "-I", "-S", _GUARD, str(parent), grace, name, stop.whom, about, *argv]


@contextlib.contextmanager
def start_guarded(
    argv: Sequence[str],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: Stream = subprocess.DEVNULL,
    stdout: Stream = None,
    stderr: Stream = None,
    stop: Stop = ORDERLY,
    hold: Sequence[int] = (),
) -> Iterator[GuardedProcess]:
    """Run `argv` until the end of the block, or of this process, kill -9 included.

    `env` is the whole environment (None: this process's own). The descriptors in `hold` stay open until the
    last process is gone: a lock held so is free when, and only when, nothing runs any more.
    """
    popen = subprocess.Popen(
        guarded_argv(argv, stop=stop, parent=os.getpid()),
        cwd=cwd,
        env=env,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        pass_fds=hold,
        start_new_session=True,  # Ctrl-C in a terminal reaches the parent alone, which stops things in order
    )
    guarded = GuardedProcess(popen, stop)
    try:
        yield guarded
    finally:
        guarded.stop()
