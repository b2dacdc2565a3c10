"""The stack around small real processes: ready, logged, refused twice, and gone without a trace."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from ethereal.embedded import StackOptions, open_stack
from ethereal.errors import ChildFailedError, ConflictError, TimeLimitError
from tests.waiting import until

WEB = """
import http.server, os
class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/readyz" else 404)
        self.end_headers()
        self.wfile.write(os.environ["ETHEREAL_BROKER_URL"].encode())
print("web is up", flush=True)
http.server.HTTPServer(("127.0.0.1", int(os.environ["ETHEREAL_PORT"])), Ready).serve_forever()
"""
FAMILY = "family: sh -c 'sleep 300 & setsid sleep 300 & echo family is up; wait'\n"
PARENT = """
import signal, sys, threading
from pathlib import Path
from ethereal.embedded import StackOptions, open_stack
signal.signal(signal.SIGINT, signal.default_int_handler)  # the jobs of a shell's background ignore it
data_dir, procfile = map(Path, sys.argv[1:])
with open_stack(StackOptions(data_dir=data_dir, port=0, flower_port=0, procfile=procfile)) as stack:
    threading.Timer(0.5, print, ["waiting"], {"flush": True}).start()
    stack.wait()
    print("waited", flush=True)
"""


def options_for(tmp_path: Path, *lines: str, limit: float = 30, port: int = 0) -> StackOptions:
    """Options for a stack of a small web server and `lines` of a Procfile."""
    (tmp_path / "web.py").write_text(WEB)
    procfile = tmp_path / "Procfile"
    procfile.write_text(f"web: {sys.executable} {tmp_path}/web.py\n" + "".join(lines))
    return StackOptions(
        data_dir=tmp_path / "data",
        port=port,
        flower_port=0,
        environment={"PATH": os.defpath},
        procfile=procfile,
        start_limit=timedelta(seconds=limit),
    )


def processes_of(tmp_path: Path) -> list[psutil.Process]:
    """Every process that has the stack's data directory in its command line or environment."""
    return [process for process in psutil.process_iter() if str(tmp_path / "data") in everything_of(process)]


def log_of(tmp_path: Path, name: str) -> str:
    """What a process of the stack has said; nothing while it was not started."""
    log = tmp_path / "data" / "logs" / f"{name}.log"
    return log.read_text() if log.exists() else ""


def everything_of(process: psutil.Process) -> str:
    try:
        return " ".join([*process.cmdline(), *process.environ().values()])
    except psutil.Error:
        return ""


def test_it_is_ready_inside_the_block_and_gone_after_it(tmp_path: Path) -> None:
    with open_stack(options_for(tmp_path, FAMILY)) as stack:
        with urllib.request.urlopen(f"{stack.web_url}/readyz") as answer:
            assert answer.read().decode() == stack.broker_url
        logs = {log.stem: log.read_text() for log in (tmp_path / "data/logs").iterdir()}
        assert "web is up\n" in logs["web"]
        until(lambda: "family is up" in log_of(tmp_path, "family"))
        assert len(processes_of(tmp_path)) > 5

    assert processes_of(tmp_path) == []


def test_a_taken_port_is_passed_over(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with open_stack(options_for(tmp_path, port=port)) as stack:
            assert stack.options.port > port
            assert stack.web_url == f"http://127.0.0.1:{stack.options.port}"


def test_a_second_stack_on_the_same_data_is_refused(tmp_path: Path) -> None:
    options = options_for(tmp_path)
    with open_stack(options), pytest.raises(ConflictError, match="in use by process"), open_stack(options):
        pass


def test_a_process_that_dies_at_the_start_is_named_with_its_last_words(tmp_path: Path) -> None:
    options = options_for(tmp_path)
    options.procfile.write_text("web: sleep 300\nworker: sh -c 'echo no broker far and wide; exit 3'\n")
    last_words = r"worker ended with code 3; .*\n.*no broker far and wide"
    with pytest.raises(ChildFailedError, match=last_words), open_stack(options):
        pass

    assert processes_of(tmp_path) == []


def test_a_stack_that_never_gets_ready_says_what_it_waited_for(tmp_path: Path) -> None:
    options = options_for(tmp_path, limit=1)
    options.procfile.write_text("web: sleep 300\n")
    with pytest.raises(TimeLimitError, match="web app does not answer"), open_stack(options):
        pass

    assert processes_of(tmp_path) == []


def test_a_process_that_dies_later_ends_the_wait(tmp_path: Path) -> None:
    worker = f"worker: sh -c 'echo $$ > {tmp_path}/pid; echo oh no; exec sleep 300'\n"
    with open_stack(options_for(tmp_path, worker)) as stack:
        until(lambda: "oh no" in log_of(tmp_path, "worker"))
        killer = threading.Timer(0.3, os.kill, [int((tmp_path / "pid").read_text()), signal.SIGKILL])
        killer.start()
        with pytest.raises(ChildFailedError, match=r"worker ended with code 137; .*\n.*oh no"):
            stack.wait()
        killer.join()


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, 0), (signal.SIGKILL, -signal.SIGKILL)]
)
def test_every_process_dies_with_it(tmp_path: Path, number: int, code: int) -> None:
    options = options_for(tmp_path, FAMILY)
    argv = [sys.executable, "-c", PARENT, str(options.data_dir), str(options.procfile)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"waiting\n"
        parent.send_signal(number)

        assert parent.wait() == code
        until(lambda: processes_of(tmp_path) == [])
        assert parent.stdout.read() == (b"" if code else b"waited\n")
