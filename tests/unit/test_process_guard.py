"""start_guarded against real processes: a server dies with its parent, however that dies."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import psutil
import pytest

from ethereal.process import GuardedProcess, Stop, start_guarded
from tests.waiting import until

TIDY = "trap 'echo tidied; exit 7' TERM; echo ready; while :; do sleep 0.05; done"
PARENT = """
import signal, sys, time
from datetime import timedelta
from ethereal.process import run_tool, start_guarded
mode, *argv = sys.argv[1:]
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # ignored by everything that nohup started
if mode == "tool":
    run_tool(argv, timeout=timedelta(seconds=300))
with start_guarded(argv):
    time.sleep(300)
"""


@pytest.fixture
def mark() -> str:
    """A word in the command line by which every process of a test is found."""
    return f"mark-{uuid4().hex}"


def living(mark: str) -> list[psutil.Process]:
    return [
        process for process in psutil.process_iter(["cmdline"]) if mark in (process.info["cmdline"] or [])
    ]


def command_of(child: GuardedProcess) -> psutil.Process:
    guard = psutil.Process(child.popen.pid)
    until(lambda: [process.name() for process in guard.children()] == ["sleep"])
    return guard.children()[0]


@pytest.fixture(params=["tool", "server"])
def parent(request: pytest.FixtureRequest, mark: str) -> Iterator[subprocess.Popen[bytes]]:
    """A Python process with a family of shells under it: a child, a grandchild, one in its own session."""
    sleep = f"sh -c 'sleep 300; :' {mark}"
    family = f'{sleep} & sh -c "{sleep} & sleep 300; :" {mark} & setsid {sleep} & wait'
    with subprocess.Popen([sys.executable, "-c", PARENT, request.param, "sh", "-c", family, mark]) as process:
        until(lambda: len(living(mark)) == 7)  # parent, guard, shell, its four
        yield process
        process.kill()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_a_parent_that_is_killed_takes_the_whole_family_along(
    parent: subprocess.Popen[bytes], mark: str, number: int
) -> None:
    parent.send_signal(number)

    until(lambda: living(mark) == [])


def test_a_guard_that_is_killed_takes_the_command_along(mark: str) -> None:
    with start_guarded(["sleep", "300"]) as child:
        sleep = command_of(child)
        child.popen.kill()

        until(lambda: not sleep.is_running())


def test_stopping_lets_the_command_tidy_up_and_tells_its_exit_code() -> None:
    with start_guarded(["sh", "-c", TIDY], stdout=subprocess.PIPE) as child:
        assert child.popen.stdout is not None
        assert child.popen.stdout.readline() == b"ready\n"
        child.stop()

        assert child.popen.stdout.read() == b"tidied\n"
        child.popen.stdout.close()
    assert child.popen.returncode == 7


def test_a_command_with_its_own_way_to_stop_gets_that_signal_first(tmp_path: Path) -> None:
    heard = tmp_path / "heard"
    traps = f"trap 'echo quit >> {heard}; exit' QUIT; trap 'echo term >> {heard}' TERM"
    script = f"{traps}; echo; while :; do sleep 0.05; done"
    stop = Stop(signal=signal.SIGQUIT, whom="leader")
    with start_guarded(["sh", "-c", script], stdout=subprocess.PIPE, stop=stop) as child:
        assert child.popen.stdout is not None
        child.popen.stdout.readline()
        child.popen.stdout.close()

    assert heard.read_text() == "quit\n"


def test_a_deaf_server_is_killed_after_its_grace() -> None:
    started = time.monotonic()
    stop = Stop(grace=timedelta(seconds=0.5))
    with start_guarded(
        ["sh", "-c", "trap '' TERM; echo; sleep 300"], stdout=subprocess.PIPE, stop=stop
    ) as child:
        assert child.popen.stdout is not None
        child.popen.stdout.readline()
        child.popen.stdout.close()

    assert child.popen.returncode == 128 + signal.SIGKILL
    assert time.monotonic() - started > 0.5


def test_a_lock_held_by_the_guard_is_free_once_nothing_runs(tmp_path: Path) -> None:
    lock = os.open(tmp_path / "lock", os.O_CREAT | os.O_RDWR)
    fcntl.flock(lock, fcntl.LOCK_EX)
    other = os.open(tmp_path / "lock", os.O_RDWR)
    with start_guarded(["sleep", "300"], hold=(lock,)) as child:
        sleep = command_of(child)
        os.close(lock)

        with pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert str(tmp_path / "lock") not in [file.path for file in sleep.open_files()]

    fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(other)
