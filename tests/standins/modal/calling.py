"""The half of the protocol that calls functions, waits for what they return, and calls them off."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from google.protobuf.empty_pb2 import Empty
from grpclib import GRPCError, Status
from modal_proto import api_pb2 as pb

from tests.standins.modal.state import Call, Container, Function, Input, Result, jwt, new_id

_LOOK_SECONDS = 0.25


class Calling:
    """Calls and their inputs. Whoever runs containers says how an input ended with `finish`."""

    functions: dict[str, Function]

    def __init__(self) -> None:
        self.calls: dict[str, Call] = {}
        self.inputs: dict[str, Input] = {}
        self.on_call: Callable[[Call], None] = lambda call: None  #: told of a call before its caller is

    def enqueue(self, item: Input) -> None:
        raise NotImplementedError

    def kill(self, container: Container) -> None:
        raise NotImplementedError

    async def FunctionMap(self, stream: Any) -> None:
        asked = await stream.recv_message()
        function = self.functions.get(asked.function_id)
        if function is None:
            raise GRPCError(Status.NOT_FOUND, f"Function {asked.function_id} not found")
        call = Call(new_id("fc"), function, asked.function_call_invocation_type)
        self.calls[call.id] = call
        answer = pb.FunctionMapResponse(
            function_call_id=call.id,
            pipelined_inputs=[self._put(call, item) for item in asked.pipelined_inputs],
            retry_policy=function.policy,
            function_call_jwt=jwt({"function_call_id": call.id}),
            sync_client_retries_enabled=False,  # retries are made here
            max_inputs_outstanding=1000,
        )
        self.on_call(call)
        await stream.send_message(answer)

    async def FunctionPutInputs(self, stream: Any) -> None:
        asked = await stream.recv_message()
        call = self._call(asked.function_call_id)
        put = [self._put(call, item) for item in asked.inputs]
        await stream.send_message(pb.FunctionPutInputsResponse(inputs=put))

    async def FunctionFinishInputs(self, stream: Any) -> None:
        await stream.recv_message()
        await stream.send_message(Empty())

    async def FunctionCallFromId(self, stream: Any) -> None:
        asked = await stream.recv_message()
        call = self._call(asked.function_call_id)
        told = pb.FunctionCallHandleMetadata(function_id=call.function.id, app_id=call.function.app_id)
        answer = pb.FunctionCallFromIdResponse(
            function_call_id=call.id, num_inputs=len(call.inputs), metadata=told
        )
        await stream.send_message(answer)

    async def FunctionGetOutputs(self, stream: Any) -> None:
        asked = await stream.recv_message()
        call, deadline = self._call(asked.function_call_id), time.monotonic() + asked.timeout
        while True:
            call.changed.clear()
            ended = _ended(call, asked)
            left = deadline - time.monotonic()
            if ended or left <= 0 or call.expired:
                break
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(call.changed.wait(), min(left, _LOOK_SECONDS))
        shown = [] if call.expired else ended
        answer = pb.FunctionGetOutputsResponse(
            outputs=[item.output for item in shown],
            idxs=[item.idx for item in shown],
            last_entry_id=asked.last_entry_id if asked.HasField("start_idx") else f"{len(call.done)}-0",
            num_unfinished_inputs=0 if call.expired else len(call.inputs) - len(call.done),
        )
        await stream.send_message(answer)

    async def FunctionCallCancel(self, stream: Any) -> None:
        asked = await stream.recv_message()
        for item in self._call(asked.function_call_id).inputs.values():
            if item.output is None:
                self._cancel(item, terminate=asked.terminate_containers)
        await stream.send_message(Empty())

    def finish(
        self, item: Input, result: pb.GenericResult, data_format: int = 0, started: float = 0.0
    ) -> None:
        """One run of an input ended: another by the function's policy, or this is its output."""
        if item.timer:
            item.timer.cancel()
        if item.container:
            item.container.running.pop(item.id, None)
            item.container = None
        if item.output is not None:
            return
        if not item.cancelled and _is_worth_another(item, result):
            item.retry_count += 1
            asyncio.get_running_loop().call_later(_delay(item), self.enqueue, item)
            return
        item.output = pb.FunctionGetOutputsItem(
            result=result,
            idx=item.idx,
            input_id=item.id,
            data_format=data_format,
            input_started_at=started,
            output_created_at=time.time(),
            retry_count=item.retry_count,
        )
        item.call.done.append(item)
        item.call.changed.set()

    def _cancel(self, item: Input, *, terminate: bool) -> None:
        item.cancelled = True
        container = item.container
        if container is not None and not terminate:
            container.called_off.set()
            return
        if container is not None:
            self.kill(container)
        elif item in item.call.function.queue:
            item.call.function.queue.remove(item)
        self.finish(item, Result(status=Result.GENERIC_STATUS_TERMINATED, exception="Input was cancelled"))

    def _put(self, call: Call, item: pb.FunctionPutInputsItem) -> pb.FunctionPutInputsResponseItem:
        taken = Input(new_id("in"), item.idx, call, item.input)
        call.inputs[taken.id] = self.inputs[taken.id] = taken
        self.enqueue(taken)
        proof = jwt({"input_id": taken.id, "function_call_id": call.id, "entry_id": taken.id})
        return pb.FunctionPutInputsResponseItem(idx=item.idx, input_id=taken.id, input_jwt=proof)

    def _call(self, call_id: str) -> Call:
        if call_id not in self.calls:
            raise GRPCError(Status.NOT_FOUND, f"Function call {call_id} not found")
        return self.calls[call_id]


def _ended(call: Call, asked: pb.FunctionGetOutputsRequest) -> list[Input]:
    if asked.HasField("start_idx"):
        return [item for item in call.done if asked.start_idx <= item.idx <= asked.end_idx]
    return call.done[int(asked.last_entry_id.split("-")[0]) if asked.last_entry_id else 0 :]


def _is_worth_another(item: Input, result: pb.GenericResult) -> bool:
    failed = result.status in (Result.GENERIC_STATUS_FAILURE, Result.GENERIC_STATUS_TIMEOUT)
    return failed and item.retry_count < item.call.function.policy.retries


def _delay(item: Input) -> float:
    policy = item.call.function.policy
    delay = policy.initial_delay_ms * (policy.backoff_coefficient or 1) ** (item.retry_count - 1)
    return min(delay, policy.max_delay_ms or delay) / 1000
