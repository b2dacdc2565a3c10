"""Runs the Procfile by honcho until one process ends or SIGTERM comes; the stack starts it as a process.

    python -m ethereal.embedded.supervisor PROCFILE DATA_DIR STOP_SECONDS

What the processes say goes to the terminal, behind their names, and to their log files. Each has STOP_SECONDS
to end: workers finish or hand back what they do, the web app its answers.
"""

from __future__ import annotations

import os
import shlex
import signal
import sys
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import IO

from honcho import manager as honcho_manager
from honcho.manager import Manager
from honcho.printer import Message, Printer

from ethereal.embedded.logs import new_log
from ethereal.embedded.options import processes_of
from ethereal.process.guarded import Stop, guarded_argv

_MARGIN_SECONDS = 2  # for a guard, after it killed


class LogPrinter(Printer):  # type: ignore[misc]  # honcho has no types
    """Writes what a process says to its log as well."""

    def __init__(self, data_dir: Path) -> None:
        super().__init__(sys.stdout)
        self._data_dir = data_dir
        self._logs: dict[str, IO[bytes]] = {}

    def write(self, message: Message) -> None:
        if message.name not in self._logs:
            self._logs[message.name] = new_log(self._data_dir, message.name).open("wb", buffering=0)
        data = message.data if isinstance(message.data, bytes) else message.data.encode()
        self._logs[message.name].write(data)
        super().write(message)


class StackManager(Manager):  # type: ignore[misc]  # honcho has no types
    """honcho's, with a SIGTERM that also counts while processes are still being started."""

    _asked = False

    def _start(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)
        super()._start()

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self._asked = True  # the loop does the rest: printing from here might interrupt printing

    def _any_stopped(self) -> bool:
        return self._asked or bool(super()._any_stopped())


def main(procfile: Path, data_dir: Path, stop_limit: timedelta) -> int:
    honcho_manager.KILL_WAIT = stop_limit.total_seconds() + _MARGIN_SECONDS
    manager = StackManager(LogPrinter(data_dir))
    for name, command in processes_of(procfile).items():
        shell = ["/bin/sh", "-c", f"exec {command}"]
        argv = guarded_argv(shell, stop=Stop(stop_limit, signal.SIGTERM, "leader"), parent=os.getpid())
        manager.add_process(name, f"exec {shlex.join(argv)}")
    manager.loop()
    return int(manager.returncode or 0)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), timedelta(seconds=float(sys.argv[3]))))
