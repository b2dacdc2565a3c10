"""Containers: processes of Modal's own runtime, and the half of the protocol that they speak."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any

from google.protobuf.empty_pb2 import Empty
from modal_proto import api_pb2 as pb

from tests.standins.modal.calling import Calling
from tests.standins.modal.state import Container, Function, Input, Result, new_id

_IDLE_SECONDS = 5.0
_BEAT_SECONDS = 14.0  # the runtime wants another beat after 15
_PASSED_ON = ("PATH", "HOME", "LANG")


class Running(Calling):
    """Starts a container when inputs wait, up to the function's limit, and ends it when it is idle."""

    server_url: str
    secret_env: dict[str, dict[str, str]]

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.containers: dict[str, Container] = {}
        self.pythonpath = ""
        self.holding = False  #: whether inputs wait in the queue, as when there is no GPU to be had
        self._tasks: set[asyncio.Task[None]] = set()

    def layout(self, app_id: str) -> pb.AppLayout:
        raise NotImplementedError

    def enqueue(self, item: Input) -> None:
        item.call.function.queue.append(item)
        self.start_work(item.call.function)

    def start_work(self, function: Function) -> None:
        """Have what waits done, unless the stand-in holds it back."""
        if self.holding:
            return
        function.work.set()
        live = [container for container in function.containers.values() if not container.stopping]
        limit = function.proto.autoscaler_settings.max_containers or 4
        if len(function.queue) > function.idle and len(live) < limit:
            container = Container(new_id("ta"), function)
            function.containers[container.task_id] = self.containers[container.task_id] = container
            self._begin(self._run(container))

    def kill(self, container: Container) -> None:
        container.stopping = True
        if container.process is not None and container.process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(container.process.pid, signal.SIGKILL)

    def log_of(self, container: Container) -> Path:
        return self.folder / f"{container.task_id}.log"

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, container: Container) -> None:
        with self.log_of(container).open("wb") as log:
            container.process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "modal._container_entrypoint",
                env=self._environment(container),
                cwd=self.folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            code = await container.process.wait()
        function = container.function
        function.containers.pop(container.task_id, None)
        self.containers.pop(container.task_id, None)
        for item in list(container.running.values()):  # it died with work in hand
            item.container = None
            died = Result(
                status=Result.GENERIC_STATUS_INTERNAL_FAILURE,
                exception=f"Container exited with code {code}",
                exitcode=code,
            )
            self.finish(item, died)
        if function.queue:
            self.start_work(function)

    def _environment(self, container: Container) -> dict[str, str]:
        function = container.function
        arguments = self.folder / f"{container.task_id}.args"
        told = pb.ContainerArguments(
            task_id=container.task_id,
            function_id=function.id,
            app_id=function.app_id,
            function_def=function.proto,
            environment_name="main",
            app_layout=self.layout(function.app_id),
        )
        arguments.write_bytes(told.SerializeToString())
        environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        for secret_id in function.proto.secret_ids:
            environment |= self.secret_env[secret_id]
        return environment | {
            "PYTHONPATH": self.pythonpath,
            "TMPDIR": str(self.folder),
            "MODAL_SERVER_URL": self.server_url,
            "MODAL_TASK_ID": container.task_id,
            "MODAL_IS_REMOTE": "1",
            "MODAL_ENVIRONMENT": "main",
            "MODAL_CONTAINER_ARGUMENTS_PATH": str(arguments),
            "MODAL_OVERRIDE_HEADERS": f"x-local-task-id:{container.task_id}",
        }

    def _me(self, stream: Any) -> Container:
        return self.containers[stream.metadata["x-local-task-id"]]

    async def ContainerHello(self, stream: Any) -> None:
        await stream.recv_message()
        await stream.send_message(Empty())

    async def ContainerHeartbeat(self, stream: Any) -> None:
        await stream.recv_message()
        container, answer = self._me(stream), pb.ContainerHeartbeatResponse()
        with suppress(asyncio.TimeoutError):  # a long poll: what is called off is told at once
            await asyncio.wait_for(container.called_off.wait(), _BEAT_SECONDS)
        # Told until it has ended: a container that has not begun an input yet takes no notice.
        ids = [item.id for item in container.running.values() if item.cancelled]
        if ids:
            answer.cancel_input_event.input_ids.extend(ids)
        else:
            container.called_off.clear()
        await stream.send_message(answer)

    async def ContainerStop(self, stream: Any) -> None:
        await stream.recv_message()
        self._me(stream).stopping = True
        await stream.send_message(pb.ContainerStopResponse())

    async def FunctionGetDynamicConcurrency(self, stream: Any) -> None:
        asked = await stream.recv_message()
        answer = pb.FunctionGetDynamicConcurrencyResponse(concurrency=asked.target_concurrency)
        await stream.send_message(answer)

    async def FunctionGetInputs(self, stream: Any) -> None:
        await stream.recv_message()
        container = self._me(stream)
        item = await self._next(container)
        if item is None:
            container.stopping = True
            given = pb.FunctionGetInputsItem(kill_switch=True)
        else:
            seconds = container.function.proto.timeout_secs or 300
            loop = asyncio.get_running_loop()
            item.timer = loop.call_later(seconds, self._time_is_up, item, container, seconds)
            given = pb.FunctionGetInputsItem(
                input_id=item.id,
                input=item.proto,
                function_call_id=item.call.id,
                retry_count=item.retry_count,
                function_call_invocation_type=item.call.kind,
            )
        await stream.send_message(pb.FunctionGetInputsResponse(inputs=[given]))

    async def FunctionPutOutputs(self, stream: Any) -> None:
        asked = await stream.recv_message()
        for output in asked.outputs:
            item = self.inputs[output.input_id]
            if output.retry_count != item.retry_count or item.container is None:
                continue
            if output.result.status == Result.GENERIC_STATUS_TERMINATED and not output.result.exception:
                output.result.exception = "Input was cancelled"
            self.finish(item, output.result, output.data_format, output.input_started_at)
        await stream.send_message(Empty())

    async def TaskResult(self, stream: Any) -> None:
        """A container that did not come up: what waits for its function fails with it."""
        asked = await stream.recv_message()
        container = self._me(stream)
        for item in [*container.running.values(), *container.function.queue]:
            self.finish(item, asked.result, pb.DATA_FORMAT_PICKLE)
        container.function.queue.clear()
        await stream.send_message(Empty())

    async def _next(self, container: Container) -> Input | None:
        """The next input for a container; None when it is to end."""
        function = container.function
        deadline = time.monotonic() + (function.proto.autoscaler_settings.scaledown_window or _IDLE_SECONDS)
        function.idle += 1
        try:
            while self._must_wait(container, deadline):
                function.work.clear()
                with suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(function.work.wait(), 0.5)
        finally:
            function.idle -= 1
        if container.stopping or not function.queue:
            return None
        item = function.queue.popleft()
        item.container, container.running[item.id] = container, item
        return item

    def _must_wait(self, container: Container, deadline: float) -> bool:
        if container.stopping or (container.function.queue and not self.holding):
            return False
        return bool(container.running) or time.monotonic() < deadline

    def _time_is_up(self, item: Input, container: Container, seconds: int) -> None:
        said = f"Task's current input {item.id} hit its timeout of {seconds}s"
        self.finish(item, Result(status=Result.GENERIC_STATUS_TIMEOUT, exception=said))
        self.kill(container)
