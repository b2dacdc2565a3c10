"""A stack finds free ports and keeps its data directory to itself."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from ethereal.embedded.data_lock import hold_data_dir
from ethereal.embedded.ports import hold_free_port
from ethereal.errors import ConflictError

HOLDER = """
import sys, time
from pathlib import Path
from ethereal.embedded.data_lock import hold_data_dir
from ethereal.process import start_guarded
data_dir = Path(sys.argv[1])
tidy = "trap 'sleep 1; exit' TERM; echo up; while :; do sleep 0.1; done"
with hold_data_dir(data_dir) as lock, start_guarded(["sh", "-c", tidy], hold=[lock]):
    time.sleep(300)
"""


def test_the_next_free_port_is_taken() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with hold_free_port("127.0.0.1", port) as free:
            assert port < free < port + 20


def test_a_port_that_is_free_is_taken() -> None:
    with hold_free_port("127.0.0.1", 0) as port:
        pass

    with hold_free_port("127.0.0.1", port) as again:
        assert again == port


def test_a_port_is_kept_for_its_server_before_and_between_two_runs() -> None:
    with hold_free_port("127.0.0.1", 0) as port:
        for _ in range(2):
            if sys.platform == "linux":
                with socket.socket() as other, pytest.raises(OSError, match="in use"):
                    other.bind(("127.0.0.1", port))
            with (
                socket.create_server(("127.0.0.1", port)) as server,
                socket.create_connection(("127.0.0.1", port)),
            ):
                server.accept()[0].close()


def test_a_second_stack_on_the_same_data_is_refused_by_name(tmp_path: Path) -> None:
    with (
        hold_data_dir(tmp_path),
        pytest.raises(ConflictError, match=f"in use by process {os.getpid()}: stop that one"),
        hold_data_dir(tmp_path),
    ):
        pass


def test_after_the_end_the_data_can_be_held_again(tmp_path: Path) -> None:
    for _ in range(2):
        with hold_data_dir(tmp_path):
            pass


def test_after_a_kill_the_next_stack_waits_for_what_is_still_ending(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLDER, tmp_path], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"up\n"
        holder.send_signal(signal.SIGKILL)
        holder.wait()

        with hold_data_dir(tmp_path):
            assert holder.stdout.read() == b""  # nobody is left to write
