"""The broker of the stack: a real Valkey, which dies with its parent and forgets nothing."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import redis

from ethereal.embedded.broker import open_broker
from tests.waiting import until

PARENT = """
import sys, time
from pathlib import Path
from ethereal.embedded.broker import open_broker
with open_broker(Path(sys.argv[1])) as url:
    print(url, flush=True)
    time.sleep(300)
"""


def test_what_was_queued_is_there_after_a_restart(tmp_path: Path) -> None:
    with open_broker(tmp_path) as url, redis.Redis.from_url(url) as client:
        client.lpush("cpu", json.dumps({"job": 1}))

    with open_broker(tmp_path) as url, redis.Redis.from_url(url) as client:
        assert client.lrange("cpu", 0, -1) == [b'{"job": 1}']


def test_it_listens_on_this_machine_alone_and_refuses_to_drop_keys(tmp_path: Path) -> None:
    with open_broker(tmp_path) as url, redis.Redis.from_url(url) as client:
        settings = client.config_get("*")
        server = psutil.Process(client.info("server")["process_id"])

        assert settings["bind"] == "127.0.0.1"
        assert settings["maxmemory-policy"] == "noeviction"
        assert {each.laddr.ip for each in server.net_connections()} == {"127.0.0.1"}
    assert not server.is_running()


def test_kill_9_of_the_parent_ends_it_and_loses_nothing(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT, tmp_path], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        with redis.Redis.from_url(parent.stdout.readline().decode().strip()) as client:
            server = psutil.Process(client.info("server")["process_id"])
            client.lpush("cpu", "queued just before")
            parent.send_signal(signal.SIGKILL)

        until(lambda: not server.is_running())
        assert parent.stdout.read() == b""

    with open_broker(tmp_path) as url, redis.Redis.from_url(url) as client:
        assert client.lrange("cpu", 0, -1) == [b"queued just before"]
