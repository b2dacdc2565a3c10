"""What the stand-in remembers: functions, calls, their inputs, and the containers that work on them."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import os
from collections import deque
from dataclasses import dataclass, field

from modal_proto import api_pb2 as pb

Result = pb.GenericResult
_numbers = itertools.count(1)


def new_id(prefix: str) -> str:
    return f"{prefix}-{os.urandom(6).hex()}{next(_numbers):04d}"


def jwt(claims: dict[str, object]) -> str:
    """The client reads the claims and checks no signature."""

    def part(value: dict[str, object]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    return f"{part({'alg': 'none'})}.{part(claims)}.x"


@dataclass(eq=False)
class Function:
    id: str
    app_id: str
    proto: pb.Function
    queue: deque[Input] = field(default_factory=deque)
    containers: dict[str, Container] = field(default_factory=dict)
    idle: int = 0  #: containers that wait for an input
    work: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def policy(self) -> pb.FunctionRetryPolicy:
        return self.proto.retry_policy


@dataclass(eq=False)
class Input:
    id: str
    idx: int
    call: Call
    proto: pb.FunctionInput
    retry_count: int = 0
    output: pb.FunctionGetOutputsItem | None = None
    container: Container | None = None
    timer: asyncio.TimerHandle | None = None
    cancelled: bool = False


@dataclass(eq=False)
class Call:
    id: str
    function: Function
    kind: int
    inputs: dict[str, Input] = field(default_factory=dict)
    done: list[Input] = field(default_factory=list)  #: in the order they ended
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    expired: bool = False


@dataclass(eq=False)
class Container:
    task_id: str
    function: Function
    process: asyncio.subprocess.Process | None = None
    running: dict[str, Input] = field(default_factory=dict)
    called_off: asyncio.Event = field(default_factory=asyncio.Event)
    stopping: bool = False
